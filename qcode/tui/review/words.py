"""Which words of a changed line are the ones that changed."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_LONGEST = 600
"""Characters; of longer lines none stand out: comparing them takes too long for a key."""
_ALIKE = 0.45
"""Lines less alike than this are two lines, not one that changed."""

Marked = tuple[tuple[str, bool], ...]
"""Pieces of a line, and whether each changed."""


def pairs(rows: Sequence[tuple[str, str]]) -> dict[int, int]:
    """Index of a removed row -> that of the added row that took its place, in runs of both."""
    made: dict[int, int] = {}
    at = 0
    while at < len(rows):
        removed = _run(rows, at, "-")
        added = _run(rows, at + removed, "+")
        made |= _matched(rows, at, removed, added)
        at += removed + added or 1
    return made


def marked(old: str, new: str) -> tuple[Marked, Marked]:
    """Both lines in pieces."""
    left, right = _TOKEN.findall(old), _TOKEN.findall(new)
    codes = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    return (
        tuple(_pieces((left[a:b], tag != "equal") for tag, a, b, _, _ in codes)),
        tuple(_pieces((right[c:d], tag != "equal") for tag, _, _, c, d in codes)),
    )


def _matched(
    rows: Sequence[tuple[str, str]], at: int, removed: int, added: int
) -> Iterator[tuple[int, int]]:
    """In order: each removed row with the first added one behind the last match that is alike."""
    low = at + removed
    for old in range(at, at + removed):
        for new in range(low, min(at + removed + added, low + 4)):
            if _alike(rows[old][1], rows[new][1]):
                yield old, new
                low = new + 1
                break


def _alike(old: str, new: str) -> bool:
    old, new = old.strip(), new.strip()
    if not old or not new or max(len(old), len(new)) > _LONGEST:
        return False
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return matcher.real_quick_ratio() > _ALIKE < matcher.quick_ratio() and matcher.ratio() > _ALIKE


def _run(rows: Sequence[tuple[str, str]], at: int, mark: str) -> int:
    end = at
    while end < len(rows) and rows[end][0] == mark:
        end += 1
    return end - at


def _pieces(codes: Iterator[tuple[list[str], bool]]) -> Iterator[tuple[str, bool]]:
    for tokens, is_changed in codes:
        if tokens:
            yield "".join(tokens), is_changed
