"""Laws that hold for all blocks, whatever is in them and however wide the screen is."""

import string
import unicodedata
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from qcode.protocol import display
from qcode.tui import blocks
from qcode.tui.drawing.draw import draw
from qcode.tui.drawing.view import View
from qcode.tui.lines import STYLES

NASTY = st.sampled_from(
    [
        *("\x1b[31m", "\x1b]8;;http://x\x07", "\x9b2J", "\x07", "\r", "\n", "\t", "\x0b", "\x0c"),
        *(
            "\u202e",
            "\u2028",
            "\u2066",
            "\ud800",
            "\U000e0041",
            "中",
            "😀",
            "e\u0301",
            "👩\u200d💻",
        ),
        *("# ", "- ", "> ", "```py\n", "|a|b|\n|-|-|\n", "**", "`", "[a](b\x1b)", "&#12;", "&#27;"),
        *("@@ -1,2 +3,4 @@\n", "+", "-", "\\ No newline", "word " * 9, "x" * 90, "12:", "--"),
    ]
)
TEXT = st.lists(NASTY | st.text(string.printable, max_size=8), max_size=10).map("".join)
NUMBER = st.integers(0, 10**7)
SECONDS = st.floats(0, 10**5)

DISPLAY: st.SearchStrategy[display.Block] = st.one_of(
    st.builds(display.TextBlock, TEXT),
    st.builds(display.FileBlock, TEXT, NUMBER, NUMBER, NUMBER),
    st.builds(
        display.DiffBlock,
        TEXT,
        TEXT.map(lambda text: f"--- a\n+++ b\n@@ -999999,1 +5,1 @@\n{text}"),
        NUMBER,
        NUMBER,
    ),
    st.builds(display.OutputBlock, TEXT, TEXT, st.none() | NUMBER, SECONDS, TEXT),
    st.builds(display.MatchesBlock, TEXT, st.lists(TEXT, max_size=9).map(tuple), NUMBER),
    st.builds(
        display.TodoBlock,
        st.lists(
            st.builds(display.TodoItem, TEXT, st.sampled_from(["open", "doing", "done"])),
            max_size=9,
        ).map(tuple),
    ),
)
CALL = st.builds(
    blocks.CallBlock,
    call_id=TEXT,
    name=TEXT,
    summary=TEXT,
    state=st.sampled_from(get_args(blocks.CallState)),
    began=SECONDS,
    seconds=SECONDS,
    output=TEXT,
    blocks=st.lists(DISPLAY, max_size=3).map(tuple),
    said=TEXT,
    notes=st.lists(TEXT, max_size=2).map(tuple),
    written=NUMBER,
)
OTHERS: st.SearchStrategy[blocks.Block] = st.one_of(
    st.builds(
        blocks.PromptBlock,
        TEXT,
        NUMBER,
        NUMBER,
        st.sampled_from(["prompt", "steer", "queued", "qcode"]),
    ),
    st.builds(
        blocks.ReasoningBlock,
        TEXT,
        SECONDS,
        SECONDS,
        NUMBER,
        NUMBER,
        st.sampled_from(["open", "done"]),
        TEXT,
    ),
    st.builds(blocks.AnswerBlock, TEXT, st.sampled_from(["open", "done", "void"])),
    st.builds(blocks.NoteBlock, TEXT, st.sampled_from(["quiet", "info", "warning", "error"]), TEXT),
    st.builds(
        blocks.ShellBlock,
        command=TEXT,
        state=st.sampled_from(["running", "done"]),
        output=TEXT,
        exit_code=st.none() | NUMBER,
        seconds=SECONDS,
        share=st.sampled_from(["keep", "tell"]),
    ),
    st.builds(blocks.TurnBlock, TEXT | st.just("end_turn"), TEXT, SECONDS, NUMBER, NUMBER),
)
VIEW = st.builds(View, st.integers(20, 200), st.booleans(), SECONDS)


@settings(max_examples=400, deadline=None)
@given(CALL | OTHERS, VIEW)
def test_no_row_is_too_wide_or_carries_a_control_character(block: blocks.Block, view: View) -> None:
    for line in draw(block, view):
        assert line.width <= view.width
        assert 0 <= line.skip <= view.width
        for text in (text for span in line.spans for text in (span.text, span.link)):
            assert not [sign for sign in text if unicodedata.category(sign) in ("Cc", "Cs")]
            assert not set(text) & set("\u202e\u2066\u2028")
        for span in line.spans:
            assert span.text
            assert set(span.style.split()) <= set(STYLES)


@settings(max_examples=100, deadline=None)
@given(CALL)
def test_a_folded_card_is_a_few_rows(block: blocks.CallBlock) -> None:
    quiet = blocks.CallBlock("1", block.name, block.summary, block.state, blocks=block.blocks[:1])
    assert len(draw(quiet, View(80))) <= 9
