"""What the view writes to the terminal itself leaves the same screen as Textual's own painting."""

import asyncio
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qcode.tui.blocks import AnswerBlock
from tests.tui.glassware import Desk, desk, quiet

NARROW = ("a", "loop", "reads", "every", "line", "of", "it", "─", "│", "✓", "…", "and", "counts")
WIDE = ("漢字", "👍", "e\u0301", "loop", "line")
DISPUTED = (*WIDE, "👍🏽")
"""The last sign takes two cells for Textual and four for the emulator. Beside something that lies
over the row, the two of them agree no more on where that stands: only Textual writes then, and a
part of a row ends elsewhere than the same part of the whole row."""
STEPS = ("grow", "grow", "shrink", "add", "cut", "roll", "page", "end", "top", "open", "find")
EVENTS = ("resize", "foot", "over", "focus", "theme", "pause", "select")


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from(STEPS * 3 + EVENTS), min_size=5, max_size=30), st.integers(0, 10**6)
)
def test_after_any_steps_the_terminal_shows_what_a_full_repaint_would(
    steps: list[str], seed: int
) -> None:
    asyncio.run(_play(steps, random.Random(seed)))


async def _play(steps: list[str], chance: random.Random) -> None:
    wide = WIDE if "over" in steps else DISPUTED
    async with desk() as (app, _):
        for step in steps:
            await _step(app, step, chance, NARROW if chance.random() < 0.8 else wide)
            if chance.random() < 0.4:
                await quiet(app)
                assert app.shown() == app.repainted(), step
        await quiet(app)
        assert app.shown() == app.repainted()


async def _step(app: Desk, step: str, chance: random.Random, words: Sequence[str]) -> None:
    view = app.view
    count = len(view.sheet)
    said = " ".join(chance.choices(words, k=chance.randint(1, 25))) + chance.choice(["", "\n"])
    match step:
        case "grow" if count:
            last = view.sheet.blocks[-1]
            assert isinstance(last, AnswerBlock)
            view.put(count - 1, AnswerBlock(last.text + " " + said))
        case "shrink" if count:
            view.put(count - 1, AnswerBlock(said[: len(said) // 2]))
        case "add" | "grow" | "shrink":
            view.put(count, AnswerBlock(said))
        case "cut":
            view.cut(chance.randint(count // 2, count))
        case "roll":
            view.roll(chance.randint(-9, 9))
        case "page":
            view.roll_pages(chance.choice([-1, 1]))
        case "end":
            view.roll_end()
        case "top":
            view.roll_top()
        case "open" if count:
            view.toggle(chance.randrange(count))
        case "focus" if count:
            view.next_block(chance.choice([-1, 1]))
        case "find":
            view.find(chance.choice(["", "loop", "line"]))
            view.next_match(chance.choice([-1, 1]))
        case "resize":
            app.driver.resize(chance.randint(30, 80), chance.randint(8, 24))
        case "foot":
            app.query_one("#foot").styles.height = chance.randint(1, 4)
        case "over":
            app.query_one("#over").display = chance.random() < 0.5
        case "select":
            app.screen.text_select_all() if chance.random() < 0.5 else app.screen.clear_selection()
        case "theme":
            app.theme = chance.choice(["textual-dark", "textual-light", "nord"])
        case _:
            await asyncio.sleep(chance.choice([0.0, 0.02, 0.05]))


async def test_a_new_row_at_the_foot_costs_a_row_and_not_the_screen() -> None:
    async with desk((80, 40)) as (app, _):
        app.view.replay([AnswerBlock("\n".join(f"row {n} of the answer" * 3 for n in range(99)))])
        await quiet(app)
        before = app.driver.sent
        app.view.put(1, AnswerBlock("one more"))
        await quiet(app)
        assert app.driver.sent - before < 600
        assert app.shown() == app.repainted()


async def test_a_word_more_costs_the_word() -> None:
    async with desk((80, 40)) as (app, _):
        app.view.replay([AnswerBlock("some words of an answer")])
        await quiet(app)
        before = app.driver.sent
        app.view.put(0, AnswerBlock("some words of an answer that"))
        await quiet(app)
        assert app.driver.sent - before < 60


async def test_a_sign_that_the_terminal_counts_narrower_leaves_nothing_behind() -> None:
    async with desk((40, 10)) as (app, _):
        app.view.replay([AnswerBlock("x" * 38)])
        await quiet(app)
        app.view.put(0, AnswerBlock("⚠️" * 19))  # two cells each for Rich, one for the emulator
        await quiet(app)
        assert "x" not in "".join(app.driver.screen.display)


@pytest.mark.parametrize("ways", ["glass", "textual"])
async def test_what_is_scrolled_under_something_is_there_when_that_has_gone(ways: str) -> None:
    async with desk(ways="glass" if ways == "glass" else "textual") as (app, _):
        app.query_one("#over").display = True
        app.view.replay([AnswerBlock("\n".join(f"row {n}" for n in range(50)))])
        await quiet(app)
        assert "over it all" in "\n".join(app.driver.screen.display)
        app.view.put(1, AnswerBlock("\n".join(f"more {n}" for n in range(5))))
        await quiet(app)
        assert app.shown() == app.repainted()
        app.query_one("#over").display = False
        await quiet(app)
        assert app.shown() == app.repainted()
        assert "more 4" in app.driver.screen.display[13]
