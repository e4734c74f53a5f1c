"""The rows in sight, painted: what was painted before and looks the same is taken over."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from rich.style import Style
from textual.geometry import Size
from textual.selection import Selection

from qcode.tui.copying import ornament
from qcode.tui.finding import Finding
from qcode.tui.layout import ROWS, Place
from qcode.tui.lines import BLANK
from qcode.tui.paint import Brush, Mark, Painted, painted
from qcode.tui.window import Row, Window


class Counts(msgspec.Struct):
    """What it cost so far."""

    repaints: int = 0
    rows: int = 0
    """Painted in all of them."""
    most_rows: int = 0
    """In one of them."""


class Shown(NamedTuple):
    """A row of the window and how it looks."""

    row: Row
    marks: tuple[Mark, ...]
    painted: Painted


class Picture:
    """What a window shows."""

    def __init__(self, window: Window) -> None:
        self.shown: list[Shown] = []
        self.counts = Counts()
        self.focused: int | None = None
        """The block with the focus."""
        self.finding: Finding | None = None
        self._window = window
        self._brush: Brush | None = None

    def fits(self, size: Size, base: Style) -> bool:
        """Whether it was painted for these."""
        if self._brush is None:
            return False
        width, height = size
        known = len(self.shown), self._brush.width, self._brush.base
        return known == (height, width, base)

    def look(self, brush: Brush, height: int, selection: Selection | None) -> Brush:
        """Lay out the window anew, and paint what was not in it or looks different. Returns the
        brush that was used: an equal one from before, which knows its styles already."""
        if brush != self._brush:
            self._brush = brush
            self.shown = []
        self._window.sheet.fit(brush.width)
        self._window.rows = height
        known = {one.row.place: one for one in self.shown}
        fresh = 0
        rows, self.shown = self._window.look(), []
        for row in rows:
            marks = self._marks(row.place, row, selection) if row.place else ()
            old = known.get(row.place)
            if old is None or (old.marks, old.row.line) != (marks, row.line):
                old = Shown(row, marks, painted(row.line, marks, self._brush))
                known[row.place] = old
                fresh += 1
            self.shown.append(old)
        self._count(fresh)
        return self._brush

    def _count(self, rows: int) -> None:
        if rows:
            self.counts.repaints += 1
            self.counts.rows += rows
            self.counts.most_rows = max(self.counts.most_rows, rows)

    def _marks(self, place: Place, row: Row, selection: Selection | None) -> tuple[Mark, ...]:
        if row.line is BLANK:
            return ()
        marks = self.finding.marks(place) if self.finding else []
        if selection and (span := selection.get_span(place.number)):
            start, end = max(span[0], ornament(row.line)), span[1]
            marks.append(Mark(start, ROWS if end < 0 else end, "selection"))
        if place.block == self.focused:
            marks.append(Mark(0, 1, "focus"))
        return tuple(marks)


def shift(before: Sequence[Shown], after: Sequence[Shown]) -> int:
    """How many rows higher than before the first one stands that was seen already; negative: lower;
    0 where hardly any is left."""
    old = {one.row.place: y for y, one in enumerate(before) if one.row.place}
    for y, one in enumerate(after):
        if one.row.place in old:
            by = old[one.row.place] - y
            return by if abs(by) < len(before) - 1 else 0
    return 0
