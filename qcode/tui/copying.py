"""From places on the screen back to the text they show: without margins, bars and line numbers,
and with each paragraph in one line, however many rows it took."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from qcode.protocol.cells import cells
from qcode.protocol.text import plain
from qcode.tui.blocks import Block, ReasoningBlock
from qcode.tui.chat.clip import written
from qcode.tui.layout import Place
from qcode.tui.lines import Line
from qcode.tui.sheet import Sheet, gap

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
    """All text from the one to the other, the second not included. Of blocks that are whole in it
    it is what they were drawn from: no more than two are drawn for it."""
    parts: list[str] = []
    above: Block | None = None
    for index in range(start[0].block, min(end[0].block + 1, len(sheet))):
        block = sheet.blocks[index]
        is_edge = index in (start[0].block, end[0].block)
        text = _drawn(sheet, index, start, end) if is_edge else _source(sheet, index)
        if text is not None:
            parts.append(("\n" * (1 + gap(above, block)) if parts else "") + text)
            above = block
    return "".join(parts)


def _drawn(sheet: Sheet, index: int, start: Spot, end: Spot) -> str | None:
    """The part of a block as it is seen; None = nothing of it is."""
    space = sheet.gap(index)
    pieces = [
        (line, _part(line, Place(index, space + row), start, end))
        for row, line in enumerate(sheet.lines(index))
        if start[0] <= Place(index, space + row) <= end[0]
    ]
    if not pieces:
        return None
    return "".join(
        f"{line.joins if number else ''}{piece}" for number, (line, piece) in enumerate(pieces)
    )


def _source(sheet: Sheet, index: int) -> str | None:
    """Thoughts that are folded away are not taken along."""
    block = sheet.blocks[index]
    if isinstance(block, ReasoningBlock) and not sheet.opened(index):
        return None
    return plain(written(block)).strip("\n") or None


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
