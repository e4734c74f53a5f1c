"""The part of the conversation that is seen: where it starts, whether it follows what comes."""

from itertools import islice

import msgspec

from qcode.tui.layout import START, Place, kept, lowest, moved, onward
from qcode.tui.lines import BLANK, Line, Span
from qcode.tui.sheet import Sheet

HINT = Line((Span("   ↓ ", "accent"), Span("more below", "dim")), skip=15)


class Row(msgspec.Struct, frozen=True):
    """One row of the window."""

    line: Line
    place: Place | None = None
    """None = it is no part of the conversation."""


FREE = Row(BLANK)
"""Below the last one."""


class Window:
    """So many rows of a sheet."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.rows = 0
        self.follows = True
        """The last row stays in sight, whatever comes."""
        self.top = START
        """The first row, unless it follows."""

    def look(self) -> list[Row]:
        """What is seen. Only the blocks of which something is seen are drawn."""
        count, height = len(self.sheet), self.sheet.height
        if not self.rows or not count:
            return [FREE] * self.rows
        self.top = self._lowest() if self.follows else kept(self.top, count, height)
        places = self._places()
        if len(places) <= self.rows and not self.follows:
            self.follow()
            places = self._places()
        rows = [Row(self.sheet.line(place), place) for place in places[: self.rows]]
        if len(places) > self.rows:
            rows[-1] = Row(HINT)
        return rows + [FREE] * (self.rows - len(rows))

    def follow(self) -> None:
        """To the end, and stay there."""
        self.follows = True
        self.top = self._lowest()

    def roll(self, by: int) -> None:
        """So many rows down, or up."""
        here = self._lowest() if self.follows else self.top
        self.show(moved(here, by, len(self.sheet), self.sheet.height))

    def show(self, top: Place) -> None:
        """From that row on, or as far down as there are rows to fill the window."""
        end = self._lowest()
        self.follows = top >= end
        self.top = min(top, end)

    def reveal(self, place: Place) -> None:
        """Move as little as it takes to see that row."""
        self.top = self._lowest() if self.follows else self.top
        seen = onward(self.top, len(self.sheet), self.sheet.height)
        if place < self.top:
            self.show(place)
        elif place not in islice(seen, self.page):
            up = moved(place, 1 - self.page, len(self.sheet), self.sheet.height)
            self.show(up)

    @property
    def page(self) -> int:
        """Rows that are seen for sure: the last may be a hint."""
        return max(self.rows - 1, 1)

    def _places(self) -> list[Place]:
        """Those in sight, and one more if there is one."""
        rest = onward(self.top, len(self.sheet), self.sheet.height)
        return list(islice(rest, self.rows + 1))

    def _lowest(self) -> Place:
        return lowest(self.rows, len(self.sheet), self.sheet.height)
