"""Find the passage that an edit means. Pure: text in, places out.

Exact first. Then, each step only when those before found nothing: blanks at line ends ignored,
another indentation, line numbers copied from a listing, typographic quotes. The loose steps need
one match and no more, and take whole lines (the last one excepted). Never by similarity.

All texts here have `\\n` line ends.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

import msgspec
from msgspec.structs import replace

from qcode.workspace.ends import common_ends

Step = Literal[
    "exact",
    "blanks at line ends ignored",
    "indentation shifted",
    "line numbers removed",
    "typographic characters taken as plain ones",
]


class Place(msgspec.Struct, frozen=True):
    """A passage of the text, and what is to stand there."""

    start: int
    end: int
    new: str


class Matches(msgspec.Struct, frozen=True):
    """Where a passage occurs."""

    step: Step
    places: tuple[Place, ...]
    """In order. Exact ones may overlap."""


def match(text: str, old: str, new: str) -> Matches | None:
    """The first step that finds anything; None = no step does. `old` is not empty."""
    for step, find in _STEPS:
        if places := tuple(find(text, old, new)):
            return Matches(step, places)
    return None


def match_exactly(text: str, old: str, new: str) -> Matches | None:
    """The first step alone."""
    places = tuple(_exact(text, old, new))
    return Matches("exact", places) if places else None


def _exact(text: str, old: str, new: str) -> Iterator[Place]:
    at = text.find(old)
    while at >= 0:
        yield Place(at, at + len(old), new)
        at = text.find(old, at + 1)


def _ends(text: str, old: str, new: str) -> Iterator[Place]:
    yield from _lines_that(text, old, new, _no_shift)


def _shifted(text: str, old: str, new: str) -> Iterator[Place]:
    yield from _lines_that(text, old, new, _shift)


def _numbered(text: str, old: str, new: str) -> Iterator[Place]:
    bare = without_numbers(old)
    if bare is None:
        return
    put = without_numbers(new) or new
    for find in (_exact, _ends, _shifted):
        if places := tuple(find(text, bare, put)):
            yield from places
            return


def _folded(text: str, old: str, new: str) -> Iterator[Place]:
    plain, wanted, put = fold(text), fold(old), fold(new)
    for place in _exact(plain, wanted, put):
        passage = text[place.start : place.end]
        yield replace(place, new=_kept(passage, wanted, put, new))


_STEPS: tuple[tuple[Step, Callable[[str, str, str], Iterator[Place]]], ...] = (
    ("exact", _exact),
    ("blanks at line ends ignored", _ends),
    ("indentation shifted", _shifted),
    ("line numbers removed", _numbered),
    ("typographic characters taken as plain ones", _folded),
)

# Whole lines

Shift = Callable[[str], str | None]
"""A line of the edit as the file would indent it; None = it cannot be."""


def _lines_that(
    text: str, old: str, new: str, shifts: Callable[[Sequence[str], Sequence[str]], Iterator[Shift]]
) -> Iterator[Place]:
    """Runs of whole lines that equal `old` once each of its lines is shifted."""
    wanted = [line.rstrip() for line in old.removesuffix("\n").split("\n")]
    if not any(wanted):
        return
    lines = text.split("\n")
    bare = [line.strip() for line in lines]
    sought = [line.strip() for line in wanted]
    for first in _runs(bare, sought):
        run = lines[first : first + len(wanted)]
        for shift in shifts(wanted, run):
            put = _reshaped(run, wanted, new.removesuffix("\n"), shift)
            if put is not None:
                yield _whole(lines, first, len(wanted), put, old, new)
                break


def _runs(lines: Sequence[str], wanted: Sequence[str]) -> Iterator[int]:
    size = len(wanted)
    for first in range(len(lines) - size + 1):
        if lines[first] == wanted[0] and lines[first : first + size] == list(wanted):
            yield first


def _whole(lines: Sequence[str], first: int, count: int, put: str, old: str, new: str) -> Place:
    """The place of some lines; with the last one's end only where `old` quotes it."""
    start = sum(len(line) + 1 for line in lines[:first])
    end = start + sum(len(line) + 1 for line in lines[first : first + count])
    if first + count == len(lines) or not old.endswith("\n"):
        return Place(start, end - 1, put)
    return Place(start, end, put + "\n" if new.endswith("\n") else put)


def _reshaped(run: Sequence[str], wanted: Sequence[str], new: str, shift: Shift) -> str | None:
    """`new` as the file indents; lines that the edit leaves alone stay as the file has them."""
    put = [line.rstrip() for line in new.split("\n")]
    made: list[str] = []
    for tag, low, high, left, right in _operations(wanted, put):
        if tag == "equal":
            made += run[low:high]
            continue
        for line in new.split("\n")[left:right]:
            shifted = shift(line)
            if shifted is None:
                return None
            made.append(shifted)
    return "\n".join(made)


def _operations(old: Sequence[str], new: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


def _no_shift(wanted: Sequence[str], run: Sequence[str]) -> Iterator[Shift]:
    if all(line == seen.rstrip() for line, seen in zip(wanted, run, strict=True)):
        yield lambda line: line


def _shift(wanted: Sequence[str], run: Sequence[str]) -> Iterator[Shift]:
    """Ways to indent that turn every line of `wanted` into that of `run`."""
    pairs = [(line, seen.rstrip()) for line, seen in zip(wanted, run, strict=True) if line]
    line, seen = min(pairs, key=lambda pair: len(_indent(pair[0])))
    ours, theirs = _indent(line), _indent(seen)
    ways: list[Shift] = []
    if theirs.endswith(ours):
        ways.append(_deeper(theirs.removesuffix(ours)))
    if ours.endswith(theirs):
        ways.append(_flatter(ours.removesuffix(theirs)))
    ways += [_tabs(width) for width in (4, 2, 8, 3)]
    ways += [_blanks(width) for width in (4, 2, 8, 3)]
    yield from (way for way in ways if all(way(line) == seen for line, seen in pairs))


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _deeper(prefix: str) -> Shift:
    return lambda line: prefix + line if line.strip() else line


def _flatter(prefix: str) -> Shift:
    def way(line: str) -> str | None:
        if not line.strip():
            return line
        return line.removeprefix(prefix) if line.startswith(prefix) else None

    return way


def _tabs(width: int) -> Shift:
    def way(line: str) -> str | None:
        indent = _indent(line)
        tabs, rest = divmod(len(indent.expandtabs(width)), width)
        return "\t" * tabs + " " * rest + line[len(indent) :]

    return way


def _blanks(width: int) -> Shift:
    def way(line: str) -> str | None:
        indent = _indent(line)
        return indent.replace("\t", " " * width) + line[len(indent) :]

    return way


# Line numbers

_NUMBERS = tuple(
    re.compile(rf"[ \t]*(\d+)(?:{mark}|$)") for mark in ("\t", "→", ": ", r" ?\| ", r"\|", "[:-]")
)
"""What may stand between number and line; the same in all lines of a passage."""


def without_numbers(passage: str) -> str | None:
    """The passage without the numbers that a listing puts before each line.

    None = not all lines have one, or they do not count up by one.
    """
    lines = passage.removesuffix("\n").split("\n")
    for number in _NUMBERS:
        heads = [head for line in lines if (head := number.match(line))]
        if len(heads) < len(lines):
            continue
        if all(int(head[1]) == int(heads[0][1]) + index for index, head in enumerate(heads)):
            bare = [line[head.end() :] for line, head in zip(lines, heads, strict=True)]
            return "\n".join(bare) + "\n" * passage.endswith("\n")
    return None


# Typographic characters

_PLAIN = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u200a\u202f\u3000", " "),
    **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
}
_FOLD = str.maketrans(_PLAIN)


def fold(text: str) -> str:
    """Quotes, dashes, blanks and full-width signs as ASCII has them, one for one."""
    return text if text.isascii() else text.translate(_FOLD)


def _kept(passage: str, wanted: str, put: str, new: str) -> str:
    """`new`, with the file's own characters wherever the edit leaves a line's ends alone.

    `wanted` and `put` are the folded old and new text: as long as `passage` and `new`.
    """
    seen, old, folded = passage.split("\n"), wanted.split("\n"), put.split("\n")
    fresh = new.split("\n")
    made: list[str] = []
    for _, low, high, left, right in _operations(old, folded):
        if high - low != right - left:
            made += fresh[left:right]
            continue
        for here, there in zip(range(low, high), range(left, right), strict=True):
            made.append(_line_kept(seen[here], old[here], folded[there], fresh[there]))
    return "\n".join(made)


def _line_kept(seen: str, old: str, put: str, new: str) -> str:
    head, tail = common_ends(old, put)
    return seen[:head] + new[head : len(new) - tail] + seen[len(seen) - tail :]
