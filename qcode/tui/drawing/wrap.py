"""Long text into rows, so that joining the rows gives the text again: `Line.joins`."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Literal, NamedTuple

from qcode.protocol.cells import cells
from qcode.tui.lines import Line, Span

Joins = Literal["\n", " ", ""]
LEAST_CELLS = 10
"""Narrower than this nothing is set off any more."""

_cell = lru_cache(4096)(cells)


class Row(NamedTuple):
    """`text[start:end]` stands in one row."""

    start: int
    end: int
    joins: Joins


def rows(text: str, width: int) -> list[Row]:
    """Broken at blanks, words that are too long anywhere. `text` has no line end.

    The one blank at a break belongs to no row.
    """
    if len(text) <= width and text.isascii():
        return [Row(0, len(text), "\n")]
    return list(_broken(text, width))


def wrap(spans: Sequence[Span], width: int) -> list[Line]:
    """Rows of one line of text; the first joins with a line end."""
    text = "".join(span.text for span in spans)
    broken = rows(text, width)
    if len(broken) == 1:
        return [Line(tuple(spans))]
    return [_row(spans, row) for row in broken]


def wrap_text(text: str, width: int, style: str = "text") -> list[Line]:
    """Rows of text with line ends, in one style. Tabs become blanks."""
    return [
        line
        for piece in text.replace("\t", "    ").split("\n")
        for line in wrap([Span(piece, style)] if piece else [], width)
    ]


def chop(spans: Sequence[Span], width: int) -> list[Line]:
    """Rows of one line of code: broken where the row is full. Of no width there is one sign a row:
    a terminal may be narrower than the margins."""
    width = max(width, 1)
    ruler = _Ruler("".join(span.text for span in spans))
    if ruler.cells(0, ruler.end) <= width:
        return [Line(tuple(spans))]
    made: list[Line] = []
    start = 0
    while ruler.cells(start, ruler.end) > width:
        end = ruler.furthest(start, ruler.end, width)
        made.append(_row(spans, Row(start, end, "" if made else "\n")))
        start = end
    return [*made, _row(spans, Row(start, ruler.end, "" if made else "\n"))]


def clip(spans: Sequence[Span], width: int) -> tuple[Span, ...]:
    """At most `width` cells, the last of them an ellipsis where something was cut."""
    ruler = _Ruler("".join(span.text for span in spans))
    if ruler.cells(0, ruler.end) <= width:
        return tuple(spans)
    if width < 1:
        return ()
    end = ruler.furthest(0, ruler.end, width - 1)
    while ruler.cells(0, end) > width - 1:
        end -= 1
    return (*cut(spans, 0, end), Span("…", "faint"))


def cut(spans: Iterable[Span], start: int, end: int) -> Iterator[Span]:
    """The characters from `start` to `end`."""
    at = 0
    for span in spans:
        low, high = max(start - at, 0), min(end - at, len(span.text))
        if low < high:
            yield span._replace(text=span.text[low:high])
        at += len(span.text)
        if at >= end:
            return


def _row(spans: Sequence[Span], row: Row) -> Line:
    return Line(tuple(cut(spans, row.start, row.end)), joins=row.joins)


class _Ruler:
    """Cells of any piece of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.end = len(text)
        self._sums = None if text.isascii() else [0, *accumulate(map(_cell, text))]

    def cells(self, start: int, end: int) -> int:
        """The width of `text[start:end]`."""
        return end - start if self._sums is None else self._sums[end] - self._sums[start]

    def furthest(self, start: int, end: int, width: int) -> int:
        """Where a row from `start` is full, at most `end`; behind one character at least."""
        if self._sums is None:
            return min(start + max(width, 1), end)
        return min(max(bisect_right(self._sums, self._sums[start] + width) - 1, start + 1), end)

    def wide(self, at: int) -> bool:
        """Whether a row may break behind this character: signs of two cells have no blanks."""
        return self.cells(at, at + 1) > 1


def _broken(text: str, width: int) -> Iterator[Row]:
    ruler, width = _Ruler(text), max(width, 1)  # no sign at all would never come to an end
    start = at = 0
    joins: Joins = "\n"
    for word in text.split(" "):
        end = at + len(word)
        if ruler.cells(start, end) > width and at > start:
            stop = ruler.furthest(start, end, width)
            if stop > at and ruler.wide(stop - 1):
                yield Row(start, stop, joins)
                start, joins = stop, ""
            else:
                yield Row(start, at - 1, joins)
                start, joins = at, " "
        while ruler.cells(start, end) > width:
            stop = ruler.furthest(start, end, width)
            yield Row(start, stop, joins)
            start, joins = stop, ""
        at = end + 1
    yield Row(start, len(text), joins)
