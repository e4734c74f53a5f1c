"""First and last row: whole at every width, and still while nothing happens."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.style import Style
from textual.app import App, ComposeResult

from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    PromptProgress,
    ReasoningDelta,
    StepStarted,
    TextDelta,
    ToolCallStarted,
    TurnStarted,
)
from qcode.protocol.messages import ToolCall, user
from qcode.tui.following import follow
from qcode.tui.footing import footer_line, header_line
from qcode.tui.lines import STYLES
from qcode.tui.status import Status
from qcode.tui.widgets.footer import Footer
from qcode.tui.widgets.header import Header, short_folder

CALL = ToolCall("c1", "shell", "{}")
FULL = Status(
    mode="ask",
    thinking_budget=4_000,
    context_tokens=131_072,
    prompt_tokens=18_400,
    reused=0.99,
    model="/models/Qwen3.6-35B-A3B-Q4_K_M.gguf",
    server="llamacpp b11549",
    branch="main",
    changes="+2 ~3",
    write_rate=98.0,
)
PHASES: dict[str, tuple[AnyEvent, ...]] = {
    "idle": (),
    "thinking": (ReasoningDelta("x", 1_200),),
    "reading": (PromptProgress(70_000, 18_390, 30_000, 4.0),),
    "re-reading": (PromptProgress(70_000, 100, 10_000, 4.0),),
    "writing": (TextDelta("So."),),
    "running": (ToolCallStarted(CALL, "shell pytest -q tests/test_pages.py"),),
    "asking": (ApprovalRequested("r", CALL, (), "asked"),),
}


def standing(phase: str) -> Status:
    """`FULL`, in the midst of a turn."""
    status = FULL
    if PHASES[phase]:
        status = follow(follow(status, TurnStarted(1, user("x")), 0.0), StepStarted(1, 1), 0.0)
    for event in PHASES[phase]:
        status = follow(status, event, 0.0)
    return status


@pytest.mark.parametrize("phase", PHASES)
def test_the_footer_fits_and_always_says_mode_and_phase(phase: str) -> None:
    word = {"asking": "waiting for you", "idle": ""}.get(phase, phase)
    for width in range(40, 201):
        row = footer_line(standing(phase), 5.0, width)
        assert row.width <= width
        assert " ask mode" in row.text
        assert word in row.text


@given(st.integers(1, 39), st.sampled_from(sorted(PHASES)))
def test_no_width_breaks_it(width: int, phase: str) -> None:
    assert footer_line(standing(phase), 5.0, width).width <= max(width, 2)
    assert header_line(FULL, "~/src/acme", width).width <= max(width, 2)


def test_a_wide_footer_says_everything() -> None:
    assert footer_line(standing("thinking"), 5.0, 120).text == (
        " ask mode ⇧⇥   think 4k   ctx 18k of 131k ▕█░░░░░░░░▏   reused 99 %"
        + " " * 30
        + "thinking 1.2k/4k · 5 s "
    )


def test_the_least_important_goes_first() -> None:
    gone = ("▏", "reused", "5 s", "of 131k", "think 4k", "⇧⇥", "ctx")
    widths = [
        max(
            width
            for width in range(20, 121)
            if part not in footer_line(standing("thinking"), 5.0, width).text
        )
        for part in gone
    ]
    assert widths == sorted(widths, reverse=True)


def test_without_a_known_maximum_what_is_used_and_reused_and_the_rate_are_told() -> None:
    status = replace(FULL, context_tokens=None, prompt_tokens=12_400)
    row = footer_line(status, 0.0, 120).text
    assert [*row.split("   ")][-1].strip() == "98 tok/s"
    assert "ctx 12k   reused 99 %" in row


def test_a_context_that_is_nearly_full_is_a_warning() -> None:
    full = replace(FULL, prompt_tokens=120_000)
    assert any(span.style == "warning" for span in footer_line(full, 0.0, 100).spans)
    assert not any(span.style == "warning" for span in footer_line(FULL, 0.0, 100).spans)


def test_the_header_fits_and_keeps_the_model() -> None:
    for width in range(40, 201):
        row = header_line(FULL, "~/src/acme", width)
        assert row.width <= width
        assert "Qwen3.6-35B-A3B" in row.text
        assert row.text.startswith(" qcode")


def test_a_wide_header_says_where_and_who() -> None:
    text = header_line(FULL, "~/src/acme", 100).text
    assert text.split() == [
        *("qcode", "~/src/acme", "main", "+2", "~3", "Qwen3.6-35B-A3B-Q4_K_M.gguf", "·", "llamacpp")
    ]


def test_of_a_long_folder_the_end_is_kept() -> None:
    assert "…" in header_line(FULL, "~/src/a/very/long/way/to/acme", 60).text
    assert "/acme" in header_line(FULL, "~/src/a/very/long/way/to/acme", 60).text


def test_the_home_is_a_tilde(home: Path) -> None:
    assert short_folder(home / "src" / "acme") == "~/src/acme"
    assert short_folder(home) == "~"
    assert short_folder(Path("/srv/acme")) == str(Path("/srv/acme"))


def test_every_span_has_a_style_that_themes_know() -> None:
    names = {
        span.style
        for phase in PHASES
        for row in (
            footer_line(standing(phase), 5.0, 160),
            header_line(replace(FULL, name="bug 7"), "~", 160),
        )
        for span in row.spans
    }
    assert names <= set(STYLES)


class Strips(App[None]):
    """Header and footer alone, with a clock that the test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.header = Header(_paint, Path("/srv/acme"))
        self.footer = Footer(_paint, lambda: self.now)

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.footer


def _paint(names: str) -> Style:
    return Style(bold="strong" in names)


def _text(widget: Header | Footer) -> str:
    return widget.render_line(0).text


@pytest.mark.parametrize("width", [40, 80, 120])
async def test_both_are_one_row_as_wide_as_the_screen(width: int) -> None:
    app = Strips()
    async with app.run_test(size=(width, 10)) as pilot:
        app.header.show(FULL)
        app.footer.show(standing("thinking"))
        await pilot.pause()
        for widget in (app.header, app.footer):
            assert widget.size.height == 1
            assert len(_text(widget)) == width
        assert "thinking" in _text(app.footer)
        assert "Qwen3.6" in _text(app.header)


async def test_while_idle_no_timer_runs_and_nothing_is_drawn() -> None:
    app = Strips()
    async with app.run_test(size=(80, 10)) as pilot:
        app.footer.show(standing("thinking"))
        await pilot.pause()
        app.footer.show(FULL)
        await pilot.pause()
        before = app.footer.repaints
        app.now = 50.0
        await asyncio.sleep(0.6)
        assert app.footer.repaints == before
        assert app.footer.is_still


async def test_a_stream_is_told_at_most_four_times_a_second() -> None:
    app = Strips()
    async with app.run_test(size=(80, 10)) as pilot:
        status = standing("thinking")
        app.footer.show(status)
        await pilot.pause()
        before, began = app.footer.repaints, asyncio.get_running_loop().time()
        for at in range(60):
            app.now = at / 50
            status = follow(status, ReasoningDelta("x", 1_300 + 40 * at), app.now)
            app.footer.show(status)
            await asyncio.sleep(0.01)
        spent = asyncio.get_running_loop().time() - began
        assert 1 <= app.footer.repaints - before <= spent / 0.25 + 1


async def test_a_wait_for_the_person_is_told_at_most_once_a_second() -> None:
    app = Strips()
    async with app.run_test(size=(80, 10)) as pilot:
        app.footer.show(standing("asking"))
        await pilot.pause()
        before = app.footer.repaints
        for at in range(40):  # a clock that runs ten times as fast
            app.now = at / 4
            await asyncio.sleep(0.025)
        assert app.footer.repaints - before <= 1
        app.footer.show(standing("thinking"))
        await pilot.pause()
        before, app.now = app.footer.repaints, app.now + 3.0
        await asyncio.sleep(0.4)
        assert app.footer.repaints == before + 1


async def test_a_new_phase_shows_at_once() -> None:
    app = Strips()
    async with app.run_test(size=(80, 10)) as pilot:
        app.footer.show(standing("thinking"))
        await pilot.pause()
        before = app.footer.repaints
        app.footer.show(standing("asking"))
        await pilot.pause()
        assert app.footer.repaints == before + 1
        assert "waiting for you" in _text(app.footer)


async def test_the_header_is_drawn_again_only_for_what_it_shows() -> None:
    app = Strips()
    async with app.run_test(size=(80, 10)) as pilot:
        app.header.show(FULL)
        await pilot.pause()
        before = app.header.repaints
        app.header.show(replace(FULL, phase="writing", prompt_tokens=20_000))
        await pilot.pause()
        assert app.header.repaints == before
        app.header.show(replace(FULL, branch="fix"))
        await pilot.pause()
        assert app.header.repaints == before + 1


@pytest.mark.parametrize(
    ("fence", "words", "style"),
    [("holds", "fenced", "dim"), ("none", "no fence", "warning"), ("off", "no fence", "warning")],
)
def test_what_stands_around_commands_is_a_word_beside_the_mode(
    fence: str, words: str, style: str
) -> None:
    spans = footer_line(replace(FULL, mode="auto", fence=fence), 0.0, 80).spans
    assert "".join(span.text for span in spans).startswith(f" auto mode · {words}")
    assert next(span.style for span in spans if words in span.text) == style
    narrow = footer_line(replace(FULL, mode="auto", fence=fence), 0.0, 12).spans
    assert "".join(span.text for span in narrow).strip() == "auto mode"
