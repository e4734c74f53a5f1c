"""Of a long text only what may be seen is made into rows, until it is opened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.protocol.display import DiffBlock, OutputBlock, TextBlock
from qcode.tui.blocks import Block, CallBlock, PromptBlock, ShellBlock
from qcode.tui.drawing.bodies import MOST_ROWS, body, framed, sentences, text_body
from qcode.tui.drawing.draw import draw
from qcode.tui.drawing.view import View
from tests.tui.drawing.looking import shown

ROWS = "".join(f"row {number}\n" for number in range(150_000))
SENTENCE = "words and more of them " * 50_000


@pytest.mark.parametrize("text", [ROWS, SENTENCE, "x" * 1_000_000, "漢" * 400_000])
def test_a_megabyte_is_a_few_short_rows(text: str) -> None:
    for made in (
        body(TextBlock(text), View(80)),
        body(OutputBlock("c", text, 0, 1.0), View(80)),
        sentences(text, "error", View(80)),
    ):
        assert sum(len(row.text) for row in made.rows) <= 8 * 4_000
        assert len(framed(made, View(80))) == min(MOST_ROWS, len(made.rows) + made.more)


def test_the_rows_that_were_not_made_are_counted() -> None:
    call = CallBlock("1", "x", "y", "ok", blocks=(TextBlock(ROWS),))
    assert shown(call)[-1] == "     │ … 149,993 more rows"
    call = CallBlock("1", "x", "y", "ok", blocks=(OutputBlock("c", ROWS, 0, 1.0),))
    assert shown(call)[1:3] == ["     │ … 149,993 rows above", "     │ row 149993"]


def test_a_long_prompt_says_about_how_much_more_there_is() -> None:
    rows = shown(PromptBlock(ROWS))
    assert len(rows) == 20
    assert rows[-1] in ("   … 149,981 more rows", "   … 149,982 more rows")
    assert len(shown(PromptBlock("x" * 1_000_000))) == 20


PATCH = "--- a/x\n+++ b/x\n@@ -0,0 +1,150000 @@\n" + "".join(
    f"+{row}\n" for row in ROWS.splitlines()
)


def opened(text: str) -> list[Block]:
    """What may hold that much."""
    return [
        CallBlock("1", "x", "y", "ok", blocks=(OutputBlock("c", text, 0, 1.0),)),
        CallBlock("1", "x", "y", "ok", blocks=(TextBlock(text),)),
        CallBlock("1", "x", "y", "ok", blocks=(DiffBlock("x", PATCH, 150_000, 0),)),
        CallBlock("1", "x", "y", "error", said=text),
        ShellBlock("c", output=text, state="done"),
        PromptBlock(text),
    ]


@pytest.mark.parametrize("block", opened(ROWS), ids=lambda block: str(block)[:40])
def test_of_an_opened_megabyte_no_more_is_drawn_than_anybody_reads(block: Block) -> None:
    rows = [row.text for row in draw(block, View(100, opened=True))]
    assert 1_000 < len(rows) < 30_000
    assert any("row 0" in row for row in rows)
    [left_out] = [row for row in rows if "… 1" in row]
    assert "Alt+C copies all of it" in left_out or "/review shows them all" in left_out


@given(st.text(alphabet="ab \n\t\r漢", max_size=400), st.integers(1, 12))
def test_what_is_made_is_an_end_of_the_whole(text: str, most: int) -> None:
    whole = text_body(text, "text", View(80, opened=True)).rows
    top = text_body(text, "text", View(80), "top", most)
    bottom = text_body(text, "text", View(80), "bottom", most)
    assert list(top.rows) == list(whole[:most])
    assert list(bottom.rows) == list(whole[-most:])
    assert top.more == bottom.more == max(len(whole) - most, 0)
