"""Which words of a row changed: rows that were replaced find the rows that replace them."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from qcode.tui.lines import Span

_WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)
_SIGNS = re.compile(r"\w+|[^\w\s]")
_ALIKE = 0.5
"""Of the words; below, two rows have nothing to do with one another."""
_MOST_PAIRS = 100
"""Comparisons of one run of changes; where there would be more, rows are taken in turn."""
_LONGEST_ROW = 500


def partners(removed: Sequence[str], added: Sequence[str]) -> list[tuple[int, int]]:
    """Places of rows that belong together, in order: each row has one partner at most."""
    if len(removed) * len(added) > _MOST_PAIRS:
        return [(at, at) for at in range(min(len(removed), len(added)))]
    pairs: list[tuple[int, int]] = []
    first = 0
    for at, text in enumerate(removed):
        likeness = [_alike(text, other) for other in added[first:]]
        best = max(likeness, default=0.0)
        if best >= _ALIKE:
            place = first + likeness.index(best)
            pairs.append((at, place))
            first = place + 1
    return pairs


def changed(before: str, after: str) -> tuple[list[Span], list[Span]]:
    """Both rows, what is only in one of them set off."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    left: list[Span] = []
    right: list[Span] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        same = tag == "equal"
        _put(left, "".join(old[a:b]), "remove" if same else "remove remove.word")
        _put(right, "".join(new[c:d]), "add" if same else "add add.word")
    return left, right


def _alike(one: str, other: str) -> float:
    left, right = _SIGNS.findall(one[:_LONGEST_ROW]), _SIGNS.findall(other[:_LONGEST_ROW])
    if not left or not right:
        return 0.0
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    likely = matcher.real_quick_ratio() >= _ALIKE and matcher.quick_ratio() >= _ALIKE
    return matcher.ratio() if likely else 0.0


def _put(spans: list[Span], text: str, style: str) -> None:
    if text:
        spans.append(Span(text, style))
