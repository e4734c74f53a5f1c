"""What to tell the model when its passage is not in the file."""

import re
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches

import msgspec

from qcode.workspace.match import fold

_COMPARED_LINES = 20_000
"""Of longer files only so many lines are compared for likeness."""


class Passage(msgspec.Struct, frozen=True):
    """A run of lines."""

    first: int
    """Counted from 1."""
    lines: tuple[str, ...]
    difference: str
    """The first one, as a sentence; empty = not told."""


def closest(text: str, old: str) -> Passage | None:
    """The lines of `text` most like `old`; None = nothing resembles it."""
    lines, wanted = text.split("\n"), old.strip("\n").split("\n")
    first = _most_shared(lines, wanted)
    if first is None:
        first = _most_alike(lines, wanted)
    if first is None:
        return None
    first = max(0, min(first, len(lines) - len(wanted)))
    run = tuple(lines[first : first + len(wanted)])
    return Passage(first + 1, run, _difference(run, wanted, first))


def _most_shared(lines: Sequence[str], wanted: Sequence[str]) -> int | None:
    """Where most lines of `wanted` stand at the right distance from each other."""
    places: dict[str, list[int]] = {}
    for index, line in enumerate(wanted):
        if _telling(line):
            places.setdefault(line.strip(), []).append(index)
    votes = Counter(
        number - index
        for number, line in enumerate(lines)
        for index in places.get(line.strip(), ())
    )
    if not votes:
        return None
    most = max(votes.values())
    return min(first for first, count in votes.items() if count == most)


def _most_alike(lines: Sequence[str], wanted: Sequence[str]) -> int | None:
    """Where the line stands that is most like the longest line of `wanted`."""
    index = max(range(len(wanted)), key=lambda number: len(wanted[number].strip()))
    sought = wanted[index].strip()[:500]
    some = {line.strip()[:500]: number for number, line in _some(lines)}
    like = get_close_matches(sought, some, n=1, cutoff=0.6) if sought else []
    return some[like[0]] - index if like else None


def _some(lines: Sequence[str]) -> list[tuple[int, str]]:
    """The last first, so that of equal lines the first one stays."""
    return list(enumerate(lines[:_COMPARED_LINES]))[::-1]


def _telling(line: str) -> bool:
    """Not a bare bracket: those stand everywhere."""
    return re.search(r"\w", line) is not None


def _difference(run: Sequence[str], wanted: Sequence[str], first: int) -> str:
    for number, (seen, line) in enumerate(zip(run, wanted, strict=False), first + 1):
        if seen == line:
            continue
        if "".join(seen.split()) == "".join(line.split()):
            return f"Line {number} differs in blanks only."
        if fold(seen) == fold(line):
            return f"Line {number} differs in quotes, dashes or blanks outside of ASCII."
        return f"Line {number} is the first that differs."
    return ""


# Lines that stand for code which was left out

_COMMENT = re.compile(r"^\s*(?:#|//|/\*|--|<!--|;|%|\{/\*|\*|\()?\s*(.*?)\s*(?:\*/\}?|-->|\))?\s*$")
_MARKED = re.compile(r"^(?:#|//|/\*|--|<!--|;|%|\{/\*|\(|\.\.\.|…)")
_LEFT_OUT = re.compile(
    r"\b(?:rest of|remaining|existing|unchanged|previous|same as before|as before|omitted"
    r"|other (?:methods|functions|code)|your code)\b",
    re.IGNORECASE,
)


def placeholder(new: str, old: str) -> str:
    """The first line of `new` that only stands for code left out, and is not in `old`."""
    known = {line.strip() for line in old.split("\n")}
    for line in new.split("\n"):
        bare = line.strip()
        if bare not in known and _MARKED.match(bare) and _stands_for(bare):
            return bare
    return ""


def _stands_for(line: str) -> bool:
    found = _COMMENT.match(line)
    words = found[1] if found else line
    dotted = words.startswith(("...", "…")) or words.endswith(("...", "…"))
    return dotted and _LEFT_OUT.search(words) is not None
