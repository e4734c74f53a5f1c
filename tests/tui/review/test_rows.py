"""Rows of a diff as lines: numbers, widths, words, what is hidden made visible."""

from hypothesis import given
from hypothesis import strategies as st

from qcode.tui.lines import STYLES, Line
from qcode.tui.review.rows import DiffRow, Sheet, beside_rows, numbered, unified_rows
from qcode.workspace.review import Hunk, hunks


def rows(before: str, after: str) -> list[DiffRow]:
    (hunk,) = hunks(before, after)
    return list(numbered(hunk.old_start, hunk.new_start, hunk.rows))


def texts(lines: list[Line]) -> list[str]:
    return [line.text.rstrip() for line in lines]


def test_one_below_the_other_with_numbers() -> None:
    made = unified_rows(rows("a\nold\nc\n", "a\nnew\nmore\nc\n"), Sheet(30, 3))
    assert texts(made) == [
        "  1   a",
        "    - old",
        "  2 + new",
        "  3 + more",
        "  4   c",
    ]
    assert texts(unified_rows(rows("a\nb\n", ""), Sheet(30, 3))) == ["  1 - a", "  2 - b"]


def test_side_by_side_what_changed_stands_beside_what_it_was() -> None:
    made = beside_rows(rows("a\nold\nc\n", "a\nnew\nmore\nc\n"), Sheet(39, 3))
    assert texts(made) == [
        "  1   a            │  1   a",
        "  2 - old          │  2 + new",
        "                   │  3 + more",
        "  3   c            │  4   c",
    ]


TEXTS = st.text(st.sampled_from("ab \t文é\r\x1b\u202e\udc80(=)"), max_size=80)


@given(TEXTS, TEXTS, st.integers(24, 90))
def test_no_line_is_wider_than_the_sheet_nor_has_control_signs(
    old: str, new: str, width: int
) -> None:
    for hunk in hunks(old, new):
        made = list(numbered(hunk.old_start, hunk.new_start, hunk.rows))
        for line in [*unified_rows(made, Sheet(width, 3)), *beside_rows(made, Sheet(width, 3))]:
            assert line.width <= width
            assert line.text.isprintable()
            assert all(name in STYLES for span in line.spans for name in span.style.split())


def test_only_the_words_that_changed_stand_out() -> None:
    made = unified_rows(rows("pages = len(items)\n", "pages = sum(items)\n"), Sheet(40, 3))
    words = [[span.text for span in line.spans if ".word" in span.style] for line in made]
    assert words == [["len"], ["sum"]]


def test_ends_that_differ_and_ends_that_are_missing_are_told() -> None:
    made = texts(unified_rows(rows("a\nb\n", "a\r\nb"), Sheet(40, 3)))
    assert made == ["    - a", "    - b", "  1 + a␍", "  2 + b ‹no line end›"]


def test_a_row_of_a_megabyte_is_cut() -> None:
    made = unified_rows(list(numbered(1, 1, Hunk(0, 1, 1, (("+", "x" * 10**6),)).rows)), Sheet(100))
    assert len(made) < 60
