"""Tables fit, whatever is in them."""

from hypothesis import given
from hypothesis import strategies as st

from tests.tui.drawing.looking import answered, styles

WIDE = "| name | what |\n|---|--:|\n| a | one two three four five six seven |\n| b | 2 |"


def rows(text: str, width: int = 80) -> list[str]:
    return [line.text for line in answered(text, width)]


def test_a_table_is_as_wide_as_it_needs() -> None:
    assert rows("| a | bb |\n|:-:|--|\n| ccc | `d` |") == [
        "    a  │ bb",
        "   ────┼───",
        "   ccc │ d ",
    ]


def test_a_cell_that_is_too_long_wraps_and_rows_stay_apart() -> None:
    assert rows(WIDE, 30) == [
        "   name │                 what",
        "   ─────┼─────────────────────",
        "   a    │   one two three four",
        "        │       five six seven",
        "   ─────┼─────────────────────",
        "   b    │                    2",
    ]


def test_a_break_in_a_cell_is_a_row() -> None:
    assert rows("| a |\n|---|\n| x<br>y |")[2:] == ["   x", "   y"]


def test_the_head_is_strong() -> None:
    lines = answered(WIDE)
    assert styles(lines, "name") == {"strong"}
    assert styles(lines, "one") == {"text"}


def test_too_many_columns_become_a_list() -> None:
    head = "|" + "|".join(f"n{at}" for at in range(8)) + "|"
    text = f"{head}\n{'|---' * 8}|\n{'|val' * 8}|"
    made = rows(text, 30)
    assert made[0] == "   - n0: val"
    assert made[7] == "     n7: val"


@given(
    st.lists(st.lists(st.text("ab 中`*-", max_size=40), min_size=1, max_size=9), max_size=5),
    st.integers(20, 120),
)
def test_every_table_fits(cells: list[list[str]], width: int) -> None:
    columns = max(map(len, cells), default=1)
    table = [
        "|" + "h|" * columns,
        "|" + "---|" * columns,
        *("|" + "|".join(row) + "|" for row in cells),
    ]
    assert max(line.width for line in answered("\n".join(table), width)) <= width
