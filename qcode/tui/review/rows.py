"""Rows of a hunk -> lines of the screen, one below the other or side by side. Pure."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

import msgspec

from qcode.tui.drawing.diff import NO_END, row_spans
from qcode.tui.drawing.wrap import chop
from qcode.tui.lines import Line, Span
from qcode.tui.review.syntax import coloured
from qcode.workspace.review import Mark

_LONGEST = 4000
"""Characters of a row that are drawn; minified code has rows of a megabyte."""
_LEAST = 4
"""Cells of text; a narrower page is cut off."""
_STYLES = {" ": "code", "-": "remove", "+": "add"}
_CARRIAGE = "␍"


class DiffRow(NamedTuple):
    """One line of either side, or of both."""

    mark: Mark
    old: int | None
    new: int | None
    text: str
    """With its own end."""


class Sheet(msgspec.Struct, frozen=True):
    """What rows are drawn on."""

    width: int
    digits: int = 4
    """Cells of a line number."""
    language: str = ""
    """In whose colours; empty = in none."""


def numbered(old: int, new: int, rows: Sequence[tuple[Mark, str]]) -> Iterator[DiffRow]:
    """Rows with their line numbers, from these on."""
    for mark, text in rows:
        yield DiffRow(mark, None if mark == "+" else old, None if mark == "-" else new, text)
        old += mark != "+"
        new += mark != "-"


def unified_rows(rows: Sequence[DiffRow], sheet: Sheet) -> list[Line]:
    """One below the other; long ones go on in the next line. One column of numbers, that of the
    new side, so that it counts on; the old one's only where nothing is left."""
    room = max(sheet.width - sheet.digits - 3, _LEAST)
    is_left = any(row.new is not None for row in rows)
    made = []
    for row, spans in zip(rows, _spans(rows, sheet.language), strict=True):
        number = row.new if is_left else row.old
        style = _STYLES[row.mark]
        for at, part in enumerate(chop(spans, room)):
            gutter = _gutter(number if at == 0 else None, row.mark, sheet.digits, style)
            fill = Span(" " * (room - part.width), style)
            made.append(Line((*gutter, *part.spans, fill), sheet.digits + 4, part.joins))
    return made


def beside_rows(rows: Sequence[DiffRow], sheet: Sheet) -> list[Line]:
    """Old at the left, new at the right; a changed row stands beside what it was."""
    half = (sheet.width - 1) // 2
    room = max(half - sheet.digits - 3, _LEAST)
    spans = _spans(rows, sheet.language)
    made = []
    for left, right in _beside(rows):
        columns = [chop(spans[at], room) if at is not None else [Line()] for at in (left, right)]
        for depth, parts in enumerate(zip_longest(*columns, fillvalue=None)):
            cells: list[Span] = []
            for at, part, side in zip((left, right), parts, ("old", "new"), strict=True):
                row = rows[at] if at is not None and part is not None else None
                number = getattr(row, side) if row is not None and depth == 0 else None
                cells += _cell(row, part, number, (room, sheet.digits))
                cells += [Span("│", "gutter")] if side == "old" else []
            made.append(Line(tuple(cells), sheet.digits + 4))
    return made


def _gutter(number: int | None, mark: str, digits: int, style: str) -> list[Span]:
    shown = str(number) if number is not None else ""
    return [Span(f"{shown:>{digits}} ", "gutter"), Span(f"{mark} ", style)]


def _cell(
    row: DiffRow | None, part: Line | None, number: int | None, sizes: tuple[int, int]
) -> list[Span]:
    room, digits = sizes
    if row is None or part is None:
        return [Span(" " * (room + digits + 3))]
    style = _STYLES[row.mark]
    fill = Span(" " * (room - part.width), style)
    return [*_gutter(number, row.mark, digits, style), *part.spans, fill]


def _beside(rows: Sequence[DiffRow]) -> Iterator[tuple[int | None, int | None]]:
    """Which rows stand at the left and at the right of a line."""
    at = 0
    while at < len(rows):
        if rows[at].mark == " ":
            yield at, at
            at += 1
            continue
        removed = _while(rows, at, "-")
        added = _while(rows, at + len(removed), "+")
        yield from zip_longest(removed, added)
        at += len(removed) + len(added)


def _while(rows: Sequence[DiffRow], at: int, mark: str) -> range:
    end = at
    while end < len(rows) and rows[end].mark == mark:
        end += 1
    return range(at, end)


def _spans(rows: Sequence[DiffRow], language: str) -> list[list[Span]]:
    """The text of each row, changed words set off, and what is odd about its end."""
    made = row_spans([(row.mark, row.old, row.new, _shown(row.text)) for row in rows])
    if language:
        made = coloured([row.mark for row in rows], made, language)
    mixed = len({row.text.endswith("\r\n") for row in rows}) > 1  # only then are they told
    for row, spans in zip(rows, made, strict=True):
        if not row.text.endswith("\n"):
            spans.append(Span(NO_END, "faint"))
        elif mixed and row.text.endswith("\r\n"):
            spans.append(Span(_CARRIAGE, "faint"))
    return made


def _shown(text: str) -> str:
    """Without its end; `row_spans` makes it visible."""
    bare = text.removesuffix("\n").removesuffix("\r") if text.endswith("\r\n") else text
    bare = bare.removesuffix("\n")
    return bare if len(bare) <= _LONGEST else f"{bare[:_LONGEST]}…"
