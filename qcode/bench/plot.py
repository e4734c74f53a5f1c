"""A plot for a terminal: curves of dots, and a mark of its own for each curve. No colours: what a
curve is, its mark says.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bits of a braille sign, by column and row (Unicode 16, chapter 21.1)."""
_BRAILLE = 0x2800
_LABEL = 9
_AXIS = 3
"""Cells between the labels and the first point."""


class Signs(msgspec.Struct, frozen=True):
    """What is drawn with."""

    marks: tuple[str, str]
    """Of the first curve, of the second."""
    both: str
    """Where they meet."""
    corner: str
    side: str
    floor: str
    has_dots: bool


FINE = Signs(("●", "○"), "◉", "└", "│", "─", has_dots=True)
ASCII = Signs(("o", "x"), "*", "+", "|", "-", has_dots=False)


Series = Mapping[float, float]
"""x -> y, both above 0."""


def plot(curves: Sequence[Series], signs: Signs = FINE, columns: int = 80, rows: int = 9) -> str:
    """One or two curves over x, which is doubled from place to place; y begins at 0.

    Ends with a newline; empty where there is nothing to draw.
    """
    xs = sorted({x for curve in curves for x in curve})
    top = max((y for curve in curves for y in curve.values()), default=0.0)
    if not xs or top <= 0:
        return ""
    place = _Places(xs, top, columns - _LABEL - _AXIS - 2, rows)
    cells = _lines(curves, place) if signs.has_dots else {}
    cells |= _marks(curves, place, signs)
    return "".join(f"{line.rstrip()}\n" for line in _framed(cells, place, signs))


def _marks(curves: Sequence[Series], place: "_Places", signs: Signs) -> dict[tuple[int, int], str]:
    marks: dict[tuple[int, int], str] = {}
    for mark, curve in zip(signs.marks, curves, strict=False):  # there may be one alone
        for x, y in curve.items():
            at = (place.column(x) // 2, place.row(y) // 4)
            marks[at] = mark if marks.get(at, mark) == mark else signs.both
    return marks


class _Places:
    """Where a value stands, in dots: two to a column, four to a row; from above and the left."""

    def __init__(self, xs: Sequence[float], top: float, columns: int, rows: int) -> None:
        self.xs, self.top, self.columns, self.rows = xs, top, columns, rows
        self._low, self._high = math.log2(xs[0]), math.log2(xs[-1])

    def column(self, x: float) -> int:
        span = self._high - self._low
        return round((math.log2(x) - self._low) / span * (self.columns * 2 - 2)) if span else 0

    def row(self, y: float) -> int:
        return round((1 - y / self.top) * (self.rows * 4 - 1))


def _lines(curves: Sequence[Series], place: _Places) -> dict[tuple[int, int], str]:
    """The cells that the dots between the points fill."""
    bits: dict[tuple[int, int], int] = {}
    for curve in curves:
        for column, row in _between(curve, place):
            cell = (column // 2, row // 4)
            bits[cell] = bits.get(cell, 0) | _DOTS[column % 2][row % 4]
    return {cell: chr(_BRAILLE + found) for cell, found in bits.items()}


def _between(curve: Series, place: _Places) -> Iterator[tuple[int, int]]:
    dots = [(place.column(x), place.row(curve[x])) for x in sorted(curve)]
    for (left, start), (right, end) in pairwise(dots):
        steps = max(abs(right - left), abs(end - start), 1)
        for step in range(steps + 1):
            share = step / steps
            yield round(left + (right - left) * share), round(start + (end - start) * share)


def _framed(cells: Mapping[tuple[int, int], str], place: _Places, signs: Signs) -> Iterator[str]:
    for row in range(place.rows):
        is_labelled = row in (0, (place.rows - 1) // 2)
        value = place.top * (1 - row / (place.rows - 1))
        label = short(value) if is_labelled else ""
        body = "".join(cells.get((column, row), " ") for column in range(place.columns))
        yield f"{label:>{_LABEL}} {signs.side}{' ' * (_AXIS - 2)}{body}"
    floor = signs.floor * (place.columns + 1)
    yield f"{'0':>{_LABEL}} {signs.corner}{floor}"
    yield _ticks(place)


def _ticks(place: _Places) -> str:
    """Lengths beneath their points; one that would run into its neighbour is left out."""
    line = ""
    for x in place.xs:
        text = binary(x)
        start = _LABEL + _AXIS + place.column(x) // 2 - len(text) // 2
        start = min(start, _LABEL + _AXIS + place.columns + 2 - len(text))
        if start > len(line) or not line:
            line = line.ljust(start) + text
    return line


def binary(tokens: float) -> str:
    """`512`, `8k`, `128k`: lengths of context are spoken of in 1,024s."""
    if tokens < 1024:
        return f"{tokens:.0f}"
    return f"{tokens / 1024:.3g}k"


def short(value: float) -> str:
    """A rate in at most six signs or so: `41.2`, `1,203`."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2g}"
