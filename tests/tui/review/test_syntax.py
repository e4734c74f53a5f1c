"""Rows of a diff in the colours of their language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.tui.drawing.highlight import language_of
from qcode.tui.lines import STYLES, Line
from qcode.tui.palette import Depth, Palette
from qcode.tui.review.page import Look, page
from qcode.tui.review.rows import Sheet, beside_rows, numbered, unified_rows
from qcode.tui.review.state import ReviewState
from qcode.tui.review.syntax import MOST_CHARACTERS
from qcode.tui.themes import load
from qcode.workspace.patches import between
from qcode.workspace.review import hunks

SHEET = Sheet(60, 3, "python")


def drawn(before: str, after: str, sheet: Sheet = SHEET) -> list[Line]:
    (hunk,) = hunks(before, after)
    return unified_rows(list(numbered(hunk.old_start, hunk.new_start, hunk.rows)), sheet)


def styles(lines: list[Line], word: str) -> list[str]:
    return [span.style for line in lines for span in line.spans if span.text.strip() == word]


def test_context_and_changed_rows_have_the_colours_of_the_language() -> None:
    lines = drawn("import os\nreturn 1\n", "import os\nif x:\n")
    assert styles(lines, "import") == ["syntax.keyword"]
    assert styles(lines, "return") == ["remove syntax.keyword"]
    assert styles(lines, "if") == ["add syntax.keyword"]


def test_the_words_that_changed_stand_out_over_the_language() -> None:
    lines = drawn("return len(items)\n", "return sum(items)\n")
    assert styles(lines, "len") == ["remove remove.word"]
    assert styles(lines, "sum") == ["add add.word"]
    assert styles(lines, "return") == ["remove syntax.keyword", "add syntax.keyword"]


def test_each_side_is_read_as_a_whole() -> None:
    lines = drawn('x = """\nif\nend"""\n', 'x = """\nif\nelse\nend"""\n')
    assert styles(lines, "if") == ["syntax.string"]
    assert styles(lines, "else") == ["add syntax.string"]


def test_side_by_side_has_them_too() -> None:
    (hunk,) = hunks("return 1\n", "return 2\n")
    lines = beside_rows(list(numbered(1, 1, hunk.rows)), SHEET)
    assert styles(lines, "return") == ["remove syntax.keyword", "add syntax.keyword"]


TEXTS = st.text(st.sampled_from("ab \t文\r\n\x0c\x1b\u2028\u202e\udc80\ufeff(='\"#"), max_size=60)


@given(TEXTS, TEXTS, st.sampled_from(["python", "c", "markdown", "html", "no such"]))
def test_colours_change_no_text(old: str, new: str, language: str) -> None:
    for hunk in hunks(old, new):
        rows = list(numbered(hunk.old_start, hunk.new_start, hunk.rows))
        plain = unified_rows(rows, Sheet(40, 3))
        made = unified_rows(rows, Sheet(40, 3, language))
        assert [line.text for line in made] == [line.text for line in plain]
        assert all(
            name in STYLES for line in made for one in line.spans for name in one.style.split()
        )


@pytest.mark.parametrize(
    ("path", "language"),
    [("src/a.py", "python"), ("b/Makefile", "make"), ("c.rs", "rust"), ("d.nobody", "")],
)
def test_the_language_is_told_by_the_name_of_the_file(path: str, language: str) -> None:
    assert language_of(path) == language


def test_of_many_hunks_only_those_near_the_cursor_are_read() -> None:
    rows = [f"return {number}  # {'x' * 80}\n" for number in range(6000)]
    before = "".join(rows)
    after = "".join(f"not {row}" if at % 60 == 7 else row for at, row in enumerate(rows))
    state = ReviewState([between("a.py", before, after)])
    assert len(state.items) == 100
    state.go(50)
    made = page(state, Look(80))
    lit = {
        owner
        for line, owner in zip(made.lines, made.owners, strict=True)
        if owner is not None and any("syntax." in span.style for span in line.spans)
    }
    assert 50 in lit
    assert 8 * 90 * len(lit) <= MOST_CHARACTERS < 8 * 110 * (len(lit) + 2)


def test_a_large_hunk_alone_is_coloured_up_to_what_is_shown() -> None:
    state = ReviewState([between("a.py", None, "return 1\n" * 5000)])
    assert styles([*page(state, Look(80)).lines], "return") == ["add syntax.keyword"] * 1000


@pytest.mark.parametrize("depth", ["256", "16", "none"])
def test_where_a_ground_cannot_tell_a_changed_row_its_colour_does(depth: Depth) -> None:
    theme = load().get("night")
    assert theme is not None
    palette = Palette(theme.colours, depth)
    assert palette("add syntax.keyword") == palette("add")
    assert palette("remove code") == palette("remove")
    full = Palette(theme.colours, "true")
    assert full("add syntax.keyword").color == full("syntax.keyword").color
    assert full("add syntax.keyword").bgcolor == full("add").bgcolor
