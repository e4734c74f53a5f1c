"""Changes: one below the other or side by side, with the words that changed inside a row."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Literal

from msgspec.structs import replace

from qcode.protocol.cells import cells
from qcode.tui.drawing.changed import changed, partners
from qcode.tui.drawing.view import View
from qcode.tui.drawing.visible import visible
from qcode.tui.drawing.wrap import chop, clip
from qcode.tui.lines import Line, Span

Sign = Literal[" ", "+", "-"]
Row = tuple[Sign, int | None, int | None, str]
"""Sign, line number before, line number after, text without its line end."""

SIDE_CELLS = 140
"""From so many cells on, two sides can stand beside each other."""
TAB_CELLS = 4
NO_END = " ‹no line end›"
_BETWEEN = Span(" │ ", "gutter")
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_STYLES = {" ": "code", "+": "add", "-": "remove"}
_SIGNS = {" ": " ", "+": "+", "-": "-"}


def patch_rows(patch: str) -> list[list[Row]]:
    """The hunks of a unified diff of one file."""
    hunks: list[list[Row]] = []
    old = new = 0
    for text in patch.removesuffix("\n").split("\n"):
        if found := _HUNK.match(text):
            old, new = int(found[1]), int(found[2])
            hunks.append([])
        elif not hunks:
            continue  # the names of the file
        elif text[:1] == "\\" and hunks[-1]:
            sign, before, after, words = hunks[-1].pop()
            hunks[-1].append((sign, before, after, words + NO_END))
        elif text[:1] == "-":
            hunks[-1].append(("-", old, None, text[1:]))
            old += 1
        elif text[:1] == "+":
            hunks[-1].append(("+", None, new, text[1:]))
            new += 1
        else:
            hunks[-1].append((" ", old, new, text[1:]))
            old, new = old + 1, new + 1
    return hunks


def unified_lines(rows: Sequence[Row], view: View) -> list[Line]:
    """`42 + text`. Rows that are too long are cut; with `view.opened` they are broken instead."""
    digits = _digits(rows)
    gutter = 3 + digits
    room = max(view.width - gutter, 2)
    made: list[Line] = []
    for row, spans in zip(rows, row_spans(rows), strict=True):
        head = _gutter(row, row[1] if row[0] == "-" else row[2], digits)
        if view.opened:
            made += _hung(chop(spans, room), head, gutter)
        else:
            made.append(Line((*head, *clip(spans, room)), skip=gutter))
    return made


def side_by_side(rows: Sequence[Row], view: View) -> list[Line]:
    """What was at the left, what will be at the right; rows that are too long are cut."""
    digits = _digits(rows)
    column = (view.width - cells(_BETWEEN.text)) // 2
    spans = row_spans(rows)
    made: list[Line] = []
    for left, right in _sides(rows):
        halves = []
        for at, which in ((left, 1), (right, 2)):
            half: tuple[Span, ...] = ()
            if at is not None:
                number = rows[at][1] if which == 1 else rows[at][2]
                half = clip([*_gutter(rows[at], number, digits), *spans[at]], column)
            halves.append(half)
        blanks = " " * (column - Line(halves[0]).width)
        made.append(Line((*halves[0], Span(blanks), _BETWEEN, *halves[1]), skip=digits + 3))
    return made


def row_spans(rows: Sequence[Row]) -> list[list[Span]]:
    """The text of each row, visible; in rows that replace one another the changed words stand
    out."""
    texts = _texts(rows)
    made = [
        [Span(text, _STYLES[row[0]])] if text else [] for row, text in zip(rows, texts, strict=True)
    ]
    for removed, added in _runs(rows):
        pairs = partners([texts[at] for at in removed], [texts[at] for at in added])
        for low, high in pairs:
            made[removed[low]], made[added[high]] = changed(texts[removed[low]], texts[added[high]])
    return made


def _texts(rows: Sequence[Row]) -> list[str]:
    """A carriage return at the end is shown where not every row has one."""
    whole = all(row[3].endswith("\r") for row in rows)
    return [visible(row[3][:-1] if whole else row[3]).expandtabs(TAB_CELLS) for row in rows]


def _runs(rows: Sequence[Row]) -> Iterator[tuple[list[int], list[int]]]:
    """Places of removed rows, and of the added ones right below."""
    removed: list[int] = []
    added: list[int] = []
    for at, (sign, *_) in enumerate(rows):
        if removed and (sign == " " or (sign == "-" and added)):
            yield removed, added
            removed, added = [], []
        if sign == "-":
            removed.append(at)
        elif sign == "+" and removed:
            added.append(at)
    if removed:
        yield removed, added


def _sides(rows: Sequence[Row]) -> Iterator[tuple[int | None, int | None]]:
    """Places of what stands beside each other."""
    removed: list[int] = []
    added: list[int] = []
    for at, (sign, *_) in enumerate(rows):
        if sign == " " or (sign == "-" and added):
            yield from zip_longest(removed, added)
            removed, added = [], []
        if sign == " ":
            yield at, at
        else:
            (removed if sign == "-" else added).append(at)
    yield from zip_longest(removed, added)


def _gutter(row: Row, number: int | None, digits: int) -> tuple[Span, Span]:
    return (
        Span(f"{'' if number is None else number:>{digits}} ", "gutter"),
        Span(f"{_SIGNS[row[0]]} ", _STYLES[row[0]]),
    )


def _hung(lines: Sequence[Line], head: tuple[Span, Span], gutter: int) -> list[Line]:
    """The further rows of one line stand below its text."""
    below = (Span(" " * gutter),)
    return [
        replace(line, spans=(*(below if at else head), *line.spans), skip=gutter)
        for at, line in enumerate(lines)
    ]


def _digits(rows: Sequence[Row]) -> int:
    return len(str(max((number for row in rows for number in row[1:3] if number), default=0)))
