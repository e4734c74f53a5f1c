"""Changes, row by row and word by word."""

from hypothesis import given
from hypothesis import strategies as st

from qcode.tui.drawing.diff import Row, Sign, patch_rows, side_by_side, unified_lines
from qcode.tui.drawing.view import View
from tests.tui.drawing.looking import copied, styles

PATCH = """--- a/p.py
+++ b/p.py
@@ -41,3 +41,5 @@
 def paginate(items, size):
-    pages = len(items) // size
+    if not items:
+        return []
+    pages = -(-len(items) // size)
     return pages
@@ -90,1 +92,1 @@
-end
+end
\\ No newline at end of file
"""


def test_a_patch_becomes_numbered_rows() -> None:
    first, second = patch_rows(PATCH)
    assert first == [
        (" ", 41, 41, "def paginate(items, size):"),
        ("-", 42, None, "    pages = len(items) // size"),
        ("+", None, 42, "    if not items:"),
        ("+", None, 43, "        return []"),
        ("+", None, 44, "    pages = -(-len(items) // size)"),
        (" ", 43, 45, "    return pages"),
    ]
    assert second == [("-", 90, None, "end"), ("+", None, 92, "end ‹no line end›")]


def test_unified_rows_have_numbers_and_signs() -> None:
    lines = unified_lines(patch_rows(PATCH)[0], View(60))
    assert [line.text for line in lines] == [
        "41   def paginate(items, size):",
        "42 -     pages = len(items) // size",
        "42 +     if not items:",
        "43 +         return []",
        "44 +     pages = -(-len(items) // size)",
        "45       return pages",
    ]


def test_numbers_and_signs_are_not_copied() -> None:
    rows = [row for row in patch_rows(PATCH)[0] if row[0] != "-"]
    assert copied(unified_lines(rows, View(60))) == "\n".join(row[3] for row in rows)


def test_changed_words_stand_out_in_the_rows_that_belong_together() -> None:
    lines = unified_lines(patch_rows(PATCH)[0], View(60))
    assert [span.text for span in lines[4].spans if "add.word" in span.style] == ["-(-", ")"]
    assert not styles(lines[2:4], "e") & {"add add.word"}


def test_the_two_sides_stand_beside_each_other() -> None:
    lines = side_by_side(patch_rows(PATCH)[0], View(100))
    before, after = zip(*(line.text.split(" │ ") for line in lines), strict=True)
    assert [text.strip() for text in before] == [
        "41   def paginate(items, size):",
        "42 -     pages = len(items) // size",
        "",
        "",
        "43       return pages",
    ]
    assert [text.strip() for text in after][1:] == [
        "42 +     if not items:",
        "43 +         return []",
        "44 +     pages = -(-len(items) // size)",
        "45       return pages",
    ]


def test_a_long_row_is_cut_or_if_opened_broken() -> None:
    rows: list[Row] = [("+", None, 1, "x" * 50)]
    (cut,) = unified_lines(rows, View(20))
    assert cut.text == "1 + " + "x" * 15 + "…"
    assert copied(unified_lines(rows, View(20, opened=True))) == "x" * 50


def test_a_line_end_that_changes_is_seen() -> None:
    lines = unified_lines([("-", 1, None, "a\r"), ("+", None, 1, "a")], View(40))
    assert [line.text for line in lines] == ["1 - a‹U+000D›", "1 + a"]
    assert (
        unified_lines([("-", 1, None, "a\r"), ("+", None, 1, "b\r")], View(40))[0].text == "1 - a"
    )


def test_a_sign_that_turns_text_round_is_seen() -> None:
    assert unified_lines([("+", None, 1, "a\u202eb")], View(40))[0].text == "1 + a‹U+202E›b"


SIGN: st.SearchStrategy[Sign] = st.sampled_from([" ", "+", "-"])
TEXT = st.text(st.sampled_from("ab(). \t中\x1b\r"), max_size=30)


@given(st.lists(st.tuples(SIGN, TEXT), max_size=12), st.integers(20, 160))
def test_every_row_is_there_and_fits(given_rows: list[tuple[Sign, str]], width: int) -> None:
    rows: list[Row] = [
        (sign, None if sign == "+" else at, None if sign == "-" else at, text)
        for at, (sign, text) in enumerate(given_rows, 1)
    ]
    unified, sides = unified_lines(rows, View(width)), side_by_side(rows, View(width))
    assert len(unified) == len(rows)
    assert all(line.width <= width for line in [*unified, *sides])
    seen = [span.text.strip() for line in sides for span in line.spans if span.style == "gutter"]
    assert {text for text in seen if text.isdecimal()} == {str(at + 1) for at in range(len(rows))}
