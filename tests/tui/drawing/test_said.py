"""Prompts, reasoning, notes, ends of turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.tui.blocks import NoteBlock, PromptBlock, ReasoningBlock, TurnBlock
from qcode.tui.drawing.draw import draw
from qcode.tui.drawing.view import View
from tests.tui.drawing.looking import copied, shown, styles


def test_a_prompt_hangs_and_is_copied_as_it_was_typed() -> None:
    text = "one two three four five\n\n  six"
    block = PromptBlock(text)
    assert shown(block, 20) == [" ❯ one two three", "   four five", "   ", "     six"]
    assert copied(draw(block, View(20))) == text


@pytest.mark.parametrize(
    ("kind", "row"),
    [("steer", " ❯ while it ran: go"), ("queued", " ❯ queued: go"), ("qcode", " ❯ qcode: go")],
)
def test_how_words_came_is_said_but_not_copied(kind: str, row: str) -> None:
    block = PromptBlock("go", kind=kind)  # type: ignore[arg-type]  # from the table above
    assert shown(block) == [row]
    assert copied(draw(block, View(80))) == "go"


def test_pictures_are_counted() -> None:
    assert shown(PromptBlock("look", images=2))[-1] == "   with 2 images"


def test_a_long_prompt_is_cut_until_it_is_opened() -> None:
    block = PromptBlock("\n".join(f"row {at}" for at in range(100)))
    assert shown(block)[-1] == "   … 81 more rows"
    assert len(shown(block)) == 20
    assert len(shown(block, opened=True)) == 100


def test_reasoning_counts_while_it_is_open() -> None:
    block = ReasoningBlock("hm", began=10.0, tokens=1234, budget=4000)
    assert shown(block, now=13.1) == ["   ▸ thinking 3.1 s · 1.2k of 4k tokens"]


def test_reasoning_that_is_over_is_one_row_and_opens() -> None:
    block = ReasoningBlock("first\n\nand a longer thought", 0, 6.2, 412, 4000, "done", "budget")
    assert shown(block) == ["   ▸ thought 6.2 s · 412 tokens · its budget was used up"]
    assert shown(block, 24, opened=True) == [
        "   ▾ thought 6.2 s · 41…",
        "     │ first",
        "     │ ",
        "     │ and a longer",
        "     │ thought",
    ]
    assert copied(draw(block, View(24, opened=True))[1:]) == block.text


def test_long_times_are_minutes() -> None:
    assert shown(ReasoningBlock("", 0, 200.0, 0, 0, "done")) == ["   ▸ thought 3 min 20 s"]


@pytest.mark.parametrize(
    ("level", "mark", "style"),
    [
        ("quiet", "└", "dim"),
        ("info", "└", "dim"),
        ("warning", "!", "warning"),
        ("error", "!", "error"),
    ],
)
def test_a_note_wraps_behind_its_mark(level: str, mark: str, style: str) -> None:
    block = NoteBlock("read again: the tool list changed", level)  # type: ignore[arg-type]  # as above
    assert shown(block, 30) == [f"   {mark} read again: the tool list", "     changed"]
    assert styles(draw(block, View(30)), "read") == {style}


def test_a_turn_says_what_it_took() -> None:
    block = TurnBlock("end_turn", seconds=12.3, steps=3, generated=1204)
    assert shown(block) == ["   — 3 steps · 12 s · 1,204 tokens"]
    assert shown(TurnBlock("end_turn")) == []


def test_a_turn_that_went_wrong_says_all_of_why() -> None:
    why = "No server answers at http://127.0.0.1:8080 (connection refused). Start it."
    lines = draw(TurnBlock("error", why, 1.0, 1, 0), View(40))
    assert copied(lines).startswith(why + "\n")
    assert styles(lines, "server") == {"error"}


def test_a_turn_that_the_person_stopped_is_no_error() -> None:
    lines = draw(TurnBlock("cancelled"), View(40))
    assert [line.text for line in lines] == ["   — Stopped."]
    assert not styles(lines, "Stopped") & {"error"}


@given(st.lists(st.text("ab \n\x1b[0m", max_size=30), max_size=8), st.integers(20, 40))
def test_reasoning_that_grows_is_drawn_as_if_it_had_come_at_once(
    pieces: list[str], width: int
) -> None:
    view = View(width, opened=True)
    blocks = [ReasoningBlock("".join(pieces[:end]), 0.0) for end in range(len(pieces) + 1)]
    grown = [draw(block, view) for block in blocks]
    for block, lines in zip(blocks, grown, strict=True):
        draw(ReasoningBlock("another", 0.0), view)
        assert draw(block, view) == lines


def test_of_long_reasoning_only_what_is_new_is_drawn() -> None:
    text = "\n".join(f"row {number}" for number in range(5_000))
    before = draw(ReasoningBlock(text, 0.0), View(80, opened=True))
    after = draw(ReasoningBlock(f"{text} and more\nlast", 0.0), View(80, opened=True))
    assert len(after) == len(before) + 1
    assert all(one is other for one, other in zip(before[1:5_000], after[1:5_000], strict=True))
