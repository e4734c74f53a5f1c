"""The window over blocks of which only those on the way are measured."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from qcode.tui.layout import START, Place, kept, lowest, moved, onward, placed

HEIGHTS = st.lists(st.integers(0, 7), min_size=1, max_size=12).filter(any)


def _rows(heights: list[int]) -> list[Place]:
    return [Place(block, row) for block, rows in enumerate(heights) for row in range(rows)]


@given(HEIGHTS, st.integers(0, 80), st.integers(-90, 90))
def test_a_move_goes_so_many_rows_and_stops_at_the_ends(
    heights: list[int], start: int, by: int
) -> None:
    rows = _rows(heights)
    start %= len(rows)
    reached = moved(rows[start], by, len(heights), heights.__getitem__)
    wanted = min(max(start + by, 0), len(rows) - 1)
    assert list(onward(reached, len(heights), heights.__getitem__)) == rows[wanted:]


@given(HEIGHTS, st.integers(1, 40))
def test_the_lowest_window_ends_with_the_last_row(heights: list[int], height: int) -> None:
    rows = _rows(heights)
    top = lowest(height, len(heights), heights.__getitem__)
    assert list(onward(top, len(heights), heights.__getitem__)) == rows[-height:]


@given(HEIGHTS, st.integers(0, 20), st.integers(0, 9))
def test_a_place_that_is_gone_becomes_one_that_is_there(
    heights: list[int], block: int, row: int
) -> None:
    found = kept(Place(block, row), len(heights), heights.__getitem__)
    assert found.block < len(heights)
    assert found.row < max(heights[found.block], 1)


@given(st.integers(0, 10**5), st.integers(0, 999_999), st.integers(0, 10**5))
def test_numbers_of_places_are_in_their_order(block: int, row: int, other: int) -> None:
    here, there = Place(block, row), Place(other, 5)
    assert placed(here.number) == here
    assert (here < there) == (here.number < there.number)


def test_only_the_blocks_on_the_way_are_measured() -> None:
    measured: set[int] = set()

    def height(block: int) -> int:
        measured.add(block)
        return 3

    top = lowest(40, 5_000, height)
    list(islice(onward(top, 5_000, height), 41))
    assert len(measured) == 14
    assert min(measured) == 5_000 - 14


def test_without_blocks_there_is_one_place() -> None:
    assert lowest(9, 0, lambda _: 1) == moved(START, 5, 0, lambda _: 1) == START
