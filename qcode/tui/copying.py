"""From places on the screen back to the text they show: without margins, bars and line numbers,
and with each paragraph in one line, however many rows it took."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from qcode.protocol.cells import cells
from qcode.tui.layout import Place
from qcode.tui.lines import Line
from qcode.tui.sheet import Sheet

Spot = tuple[Place, int]
"""A row, and a character of its line."""


@lru_cache(2048)
def ornament(line: Line) -> int:
    """So many characters at the left are no text: `Line.skip`, which counts cells."""
    width = 0
    for count, sign in enumerate(line.text):
        if width >= line.skip:
            return count
        width += cells(sign)
    return len(line.text)


def said(line: Line) -> str:
    """The text of that row."""
    return line.text[ornament(line) :].rstrip(" ")


def between(sheet: Sheet, start: Spot, end: Spot) -> str:
    """All text from the one to the other, the second not included."""
    parts: list[str] = []
    for index in range(start[0].block, min(end[0].block + 1, len(sheet))):
        gap = sheet.gap(index)
        pieces = [
            (line, _part(line, Place(index, gap + row), start, end))
            for row, line in enumerate(sheet.lines(index))
            if start[0] <= Place(index, gap + row) <= end[0]
        ]
        text = "".join(
            f"{line.joins if number else ''}{piece}" for number, (line, piece) in enumerate(pieces)
        )
        if pieces:
            parts.append(("\n" * (1 + gap) if parts else "") + text)
    return "".join(parts)


def _part(line: Line, place: Place, start: Spot, end: Spot) -> str:
    text, skip = said(line), ornament(line)
    first = max(start[1] - skip, 0) if place == start[0] else 0
    last = max(end[1] - skip, 0) if place == end[0] else len(text)
    return text[first:last]


def occurrences(
    lines: Sequence[Line], wanted: re.Pattern[str]
) -> Iterator[list[tuple[int, int, int]]]:
    """Where it stands, as (row, first character, behind the last); an occurrence that is broken
    over rows has one entry for each."""
    text, starts = "", []
    for number, line in enumerate(lines):
        text += line.joins if number else ""
        starts.append(len(text))
        text += said(line)
    for found in wanted.finditer(text):
        if found.start() == found.end():
            continue
        yield [
            (row, ornament(line) + first, ornament(line) + last)
            for row, line in enumerate(lines)
            if (first := max(found.start() - starts[row], 0))
            < (last := min(found.end() - starts[row], len(said(line))))
        ]
