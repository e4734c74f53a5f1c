"""Rows that are joined again are the text."""

from hypothesis import given
from hypothesis import strategies as st

from qcode.tui.drawing.wrap import chop, clip, wrap, wrap_text
from qcode.tui.lines import Line, Span
from tests.tui.drawing.looking import copied

TEXT = st.text(st.sampled_from("ab   -中é\u0301😀\u200d"), max_size=80)
WIDTH = st.integers(2, 30)


@given(TEXT, TEXT, WIDTH)
def test_wrapping_changes_nothing_and_fits(one: str, other: str, width: int) -> None:
    lines = wrap([Span(one, "strong"), Span(other)], width)
    assert copied(lines) == one + other
    assert all(line.width <= width for line in lines)


@given(TEXT, WIDTH)
def test_chopping_changes_nothing_and_fits(text: str, width: int) -> None:
    lines = chop([Span(text)], width)
    assert copied(lines) == text
    assert all(line.width <= width for line in lines)


@given(TEXT, st.integers(0, 30))
def test_a_clipped_row_fits_and_is_whole_where_it_can(text: str, width: int) -> None:
    made = Line(clip([Span(text)], width))
    assert made.width <= max(width, 0)
    if Line((Span(text),)).width <= width:
        assert made.text == text


def test_words_stay_whole_and_styles_stay_with_them() -> None:
    lines = wrap([Span("one "), Span("two three", "strong"), Span("four")], 9)
    assert [line.text for line in lines] == ["one two", "threefour"]
    assert lines[1].spans == (Span("three", "strong"), Span("four"))


def test_signs_of_two_cells_fill_the_row_they_began_in() -> None:
    assert [line.text for line in wrap_text("ab 中文中文中文", 8)] == ["ab 中文", "中文中文"]


def test_a_word_that_is_too_long_is_broken() -> None:
    lines = wrap_text("see " + "x" * 12, 10)
    assert [(line.text, line.joins) for line in lines] == [
        ("see", "\n"),
        ("x" * 10, " "),
        ("xx", ""),
    ]


@given(TEXT, st.integers(-5, 0))
def test_a_window_narrower_than_the_margins_is_no_endless_work(text: str, width: int) -> None:
    for rows in (wrap([Span(text)], width), chop([Span(text)], width)):
        assert copied(rows) == text
        assert len(rows) <= len(text) + 1
