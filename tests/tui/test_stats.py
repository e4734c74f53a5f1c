"""Figures of a session, their page, and what fills the window."""

import asyncio
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style
from textual.app import App
from textual.screen import Screen

from qcode.engine.contents import KINDS, contents
from qcode.protocol.ahead import Ahead
from qcode.protocol.events import (
    AnyEvent,
    BudgetReached,
    LoopSeen,
    MessageCompleted,
    Repaired,
    Retried,
    StepStarted,
    ToolCallFinished,
    TurnFinished,
    TurnStarted,
    Usage,
)
from qcode.protocol.messages import (
    AssistantMessage,
    Image,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
    user,
)
from qcode.tui.contents_page import contents_lines
from qcode.tui.lines import STYLES
from qcode.tui.plots import LEVELS, plot
from qcode.tui.screens.context import ContextScreen
from qcode.tui.screens.stats import StatsScreen
from qcode.tui.stats import Stats
from qcode.tui.stats_page import stats_lines
from qcode.tui.widgets.painted import Painted
from tests.tui.stories import started, stories

ANSWER = AssistantMessage(
    (Reasoning("Hm. " * 30), Text("So. " * 10), ToolCall("c", "shell", '{"command":"ls"}'))
)
WHY = "the server no longer had it"


def turn(number: int, *, reread: int = 0) -> list[AnyEvent]:
    """One answer of 12 s, 2 s of them reading; one call of 3 s."""
    usage = Usage(1_000 * number, 900, 200, 2_000.0, 90.0 + number, 2.0, reread or None, WHY)
    return [
        TurnStarted(number, user("Look.")),
        StepStarted(number, 1),
        usage,
        MessageCompleted(ANSWER, 1_000 * number, 12.0),
        ToolCallFinished(ToolMessage("c", "shell", "a.py\n" * 50), (), 3.0),
        TurnFinished("end_turn"),
    ]


def session(turns: int = 3) -> list[AnyEvent]:
    """Some turns, the second of which read twice."""
    return [
        started(),
        *(event for n in range(1, turns + 1) for event in turn(n, reread=500 if n == 2 else 0)),
    ]


def stats_of(*events: AnyEvent) -> Stats:
    stats = Stats()
    stats.take_all(events)
    return stats


def test_tokens_are_new_cached_or_read_again_for_a_reason() -> None:
    stats = stats_of(*session())
    assert (stats.read, stats.cached, stats.generated) == (6_000 - 2_700, 2_700, 600)
    assert stats.reread == 500
    assert [(why, one.times, one.tokens) for why, one in stats.rereads.items()] == [(WHY, 1, 500)]


def test_the_time_of_an_answer_is_reading_thinking_and_writing() -> None:
    spent = stats_of(*session(1)).seconds
    assert (spent.reading, spent.tools) == (2.0, 3.0)
    assert spent.thinking + spent.writing == pytest.approx(10.0)
    assert spent.thinking > 2 * spent.writing > 0


def test_what_was_mended_is_counted_by_kind() -> None:
    stats = stats_of(
        Repaired("a comma", "c", "arguments"),
        Repaired("a comma", "d", "arguments"),
        Retried(1, "connection refused", 1.0),
        LoopSeen("text", "la la", "asked again", 2, 300),
        BudgetReached(4_000, 4_001),
    )
    assert (stats.repairs["arguments"], stats.retries, stats.loops) == (2, 1, 1)
    assert (stats.lost, stats.closed["budget"]) == (300, 1)


def test_a_server_that_counts_nothing_makes_no_figures_up() -> None:
    stats = stats_of(TurnStarted(1, user("x")), Usage(None, None, None))
    assert (stats.read, stats.cached, stats.generated, stats.reread) == (0, 0, 0, 0)
    assert "Answer by answer" not in "\n".join(row.text for row in stats_lines(stats, 80))


def test_the_page_says_each_reason_and_plots_each_rate() -> None:
    text = "\n".join(row.text for row in stats_lines(stats_of(*session()), 80))
    assert f"1× 500 · {WHY}" in text
    assert "93 tok/s, 91 to 93" in text
    assert "3.2k of 131k" in text
    assert "shell" in text
    assert "3 turns" not in stats_lines(Stats(), 80)[0].text


@given(stories(), st.integers(40, 130))
def test_pages_fit_whatever_happened(events: list[AnyEvent], width: int) -> None:
    rows = (*stats_lines(stats_of(*events), width), *contents_lines(contents(events), width))
    assert all(row.width <= width for row in rows)
    assert {span.style for row in rows for span in row.spans} <= set(STYLES)


@given(st.lists(st.floats(0, 1e6), max_size=300), st.integers(1, 60))
def test_a_plot_is_never_wider_and_its_highest_cell_is_full(
    values: list[float], width: int
) -> None:
    drawn = plot(values, width)
    assert len(drawn) == min(len(values), width)
    assert set(drawn) <= {*LEVELS, " "}
    if any(value > 0 for value in values):
        assert LEVELS[-1] in drawn


def test_a_plot_against_a_maximum_leaves_room_above() -> None:
    assert plot([50, 100], 10, 100) == "▄█"
    assert plot([25, 50], 10, 100) == "▂▄"
    assert plot([0, 1], 10) == " █"


def test_shares_of_the_window_sum_up_to_the_servers_count() -> None:
    held = contents(session(), 131_072)
    assert held.counted
    assert sum(held.shares.values()) == pytest.approx(held.total, abs=len(KINDS))
    assert held.total >= 3_200
    assert held.free == 131_072 - held.total
    assert {"system text", "your words", "reasoning", "answers", "calls", "results"} <= set(
        held.shares
    )


def test_without_a_count_it_is_an_estimate_and_says_so() -> None:
    held = contents([started(), TurnStarted(1, user("word " * 100))])
    assert not held.counted
    assert 60 <= held.shares["your words"] <= 140
    assert contents_lines(held, 80)[-1].text == " an estimate"


def test_facts_ahead_of_the_first_prompt_and_pictures_have_rows_of_their_own() -> None:
    text = "<workspace>\nFolder: /project\n</workspace>\n\nLook at this."
    message = UserMessage((Text(text), Image("image/png", "AAAA")))
    shares = contents([started(), TurnStarted(1, message)]).shares
    assert shares["workspace and instructions"] > 0
    assert shares["pictures"] > shares["your words"]


class Pages(App[None]):
    """Shows one page."""

    def __init__(self, page: Screen[None]) -> None:
        super().__init__()
        self.page = page

    def on_mount(self) -> None:
        self.push_screen(self.page)


def _paint(names: str) -> Style:
    return Style()


async def _text(page: Screen[None], sign: str) -> str:
    """What it shows, once that holds `sign`."""
    for _ in range(200):
        sheet = page.query_one(Painted)
        text = "\n".join(sheet.render_line(y).text for y in range(sheet.size.height))
        if sign in text:
            return text
        await asyncio.sleep(0.02)
    raise AssertionError(f"no {sign!r} in {text}")


@pytest.mark.parametrize("width", [40, 80, 120])
async def test_the_statistics_come_up_grow_and_close(width: int, tmp_path: Path) -> None:
    events = session(1)
    page = StatsScreen(_paint, events)
    app = Pages(page)
    async with app.run_test(size=(width, 24)) as pilot:
        assert "1 answer" in await _text(page, "Tokens")
        events += turn(2)
        assert "2 answers" in await _text(page, "2 answers")
        await pilot.press("escape")
        assert app.screen is not page


@pytest.mark.parametrize("width", [40, 80, 120])
async def test_the_context_is_weighed_and_shown(width: int) -> None:
    page = ContextScreen(_paint, session(), 131_072)
    app = Pages(page)
    async with app.run_test(size=(width, 24)) as pilot:
        text = await _text(page, "free")
        assert "reasoning" in text
        await pilot.press("q")
        assert app.screen is not page


def test_what_was_read_ahead_is_told_with_the_wait_that_it_saved() -> None:
    stats = stats_of(
        TurnStarted(1, user("x")),
        Usage(9_000, 8_900, 10, ahead=Ahead(8_000, 6.25)),
        Usage(9_000, 8_900, 10, ahead=Ahead(restored_tokens=700)),
    )
    page = "\n".join(line.text for line in stats_lines(stats, 80))
    assert re.search(r"read ahead +8,000  6\.2 s less to wait", page), page
    assert re.search(r"from the disk +700  taken back", page), page
    none = stats_lines(stats_of(TurnStarted(1, user("x")), Usage(9, 8, 1)), 80)
    assert "ahead" not in "\n".join(line.text for line in none)
