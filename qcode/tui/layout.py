"""Which rows of the conversation stand in the window, when only those are laid out that are looked
at. Pure: heights come from a function, and it is asked only about the blocks on the way.

The window hangs on a row of a block, not on a row of the whole: what is above needs no height, so
there is nothing to estimate, and nothing moves when a block far away grows or is laid out anew.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

Height = Callable[[int], int]
"""Rows of the block with that index, those between it and the one above among them; 0 = none."""

ROWS = 1_000_000
"""More rows than a block ever has."""


class Place(NamedTuple):
    """A row, by its block. The order of places is the order of rows."""

    block: int
    row: int

    @property
    def number(self) -> int:
        """One number in the same order; it stays while other blocks grow."""
        return self.block * ROWS + self.row


START = Place(0, 0)


def placed(number: int) -> Place:
    """The way back from `Place.number`."""
    return Place(*divmod(number, ROWS))


def onward(place: Place, count: int, height: Height) -> Iterator[Place]:
    """`place` and all rows below it, of `count` blocks."""
    row = place.row
    for block in range(place.block, count):
        for here in range(row, height(block)):
            yield Place(block, here)
        row = 0


def moved(place: Place, by: int, count: int, height: Height) -> Place:
    """The row so many below `place`, or above it; the first or the last one where they end."""
    if not count:
        return START
    return _up(place, -by, height) if by < 0 else _down(place, by, count, height)


def _up(place: Place, by: int, height: Height) -> Place:
    block, row = place
    while by > row:
        if not block:
            return START
        by -= row + 1
        block -= 1
        row = height(block) - 1
    return Place(block, row - by)


def _down(place: Place, by: int, count: int, height: Height) -> Place:
    block, row = place
    while by >= (left := height(block) - row):
        if block == count - 1:
            return lowest(1, count, height)
        by -= left
        block += 1
        row = 0
    return Place(block, row + by)


def lowest(rows: int, count: int, height: Height) -> Place:
    """Where a window of so many rows starts when the last row stands at its foot."""
    if not count:
        return START
    last = Place(count - 1, height(count - 1) - 1)
    return _up(last, rows - 1, height)


def kept(place: Place, count: int, height: Height) -> Place:
    """`place`, or the row nearest to it that is still there."""
    if not count:
        return START
    block = min(place.block, count - 1)
    return Place(block, max(min(place.row, height(block) - 1), 0))
