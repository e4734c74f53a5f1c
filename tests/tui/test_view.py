"""The virtual view as a person and the app see it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.events import MouseMove, MouseScrollUp
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from qcode.tui.blocks import AnswerBlock, Block, CallBlock, NoteBlock, PromptBlock, ReasoningBlock
from qcode.tui.lines import Line, Span
from qcode.tui.view import TranscriptView
from tests.tui.glassware import STYLES, paint


def draw(block: Block, width: int, opened: bool) -> Sequence[Line]:  # noqa: FBT001  as in `Draw`
    """Words wrapped at the width; cards and reasoning are one line until they are opened."""
    if isinstance(block, CallBlock):
        body = [Line((Span(f"   │ {row}"),), skip=5) for row in block.output.split("\n")]
        return [Line((Span(f"   ● {block.name}"),), skip=5), *(body if opened else ())]
    text = getattr(block, "text", "")
    if isinstance(block, ReasoningBlock) and not opened:
        text = "thought"
    return [line for paragraph in text.split("\n") for line in _wrapped(paragraph, width - 2)]


def _wrapped(text: str, width: int) -> list[Line]:
    rows = [""]
    for word in text.split():
        if rows[-1] and len(rows[-1]) + 1 + len(word) > width:
            rows.append("")
        rows[-1] = f"{rows[-1]} {word}".strip()
    return [
        Line((Span("  "), Span(row, link=_link(row))), 2, " " if number else "\n")
        for number, row in enumerate(rows)
    ]


def _link(text: str) -> str:
    return "https://b.example" if "link" in text else ""


class Shelf(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        yield TranscriptView(draw, paint)
        yield Input()

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_transcript_view_followed(self, message: TranscriptView.Followed) -> None:
        self.heard.append(message)

    def on_transcript_view_focused(self, message: TranscriptView.Focused) -> None:
        self.heard.append(message)

    def on_transcript_view_found(self, message: TranscriptView.Found) -> None:
        self.heard.append(message)

    def on_transcript_view_link_clicked(self, message: TranscriptView.LinkClicked) -> None:
        self.heard.append(message)

    @property
    def heard_follows(self) -> list[bool]:
        return [one.follows for one in self.heard if isinstance(one, TranscriptView.Followed)]

    @property
    def heard_found(self) -> list[int]:
        return [
            one.count
            for one in self.heard
            if isinstance(one, TranscriptView.Found) and one.of == "all"
        ]

    @property
    def heard_focused(self) -> list[int | None]:
        return [one.index for one in self.heard if isinstance(one, TranscriptView.Focused)]

    @property
    def view(self) -> TranscriptView:
        return self.query_one(TranscriptView)

    @property
    def rows(self) -> list[str]:
        strips = self.view.render_lines(self.view.region.reset_offset)
        return [strip.text.rstrip() for strip in strips]


@asynccontextmanager
async def shelf(
    *blocks: Block, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Shelf, Pilot[None]]]:
    app = Shelf()
    async with app.run_test(size=size) as pilot:
        app.view.replay(blocks)
        await settled(app)
        yield app, pilot


async def settled(app: Shelf) -> None:
    """Wait until the frame that is due has been."""
    await asyncio.sleep(0)
    await until(lambda: not app.view.waits)


async def until(met: Callable[[], bool]) -> None:
    """Wait for a state."""
    end = time.monotonic() + 5
    while not met():
        assert time.monotonic() < end, "not in time"
        await asyncio.sleep(0.005)


def numbered(count: int) -> list[Block]:
    return [AnswerBlock(f"message {number}", "done") for number in range(count)]


async def test_the_end_is_seen_first_and_followed() -> None:
    async with shelf(*numbered(50)) as (app, _):
        assert app.rows[-1] == "  message 49"
        app.view.put(50, AnswerBlock("one\nmore"))
        await settled(app)
        assert app.rows[-4:] == ["  message 49", "", "  one", "  more"]


async def test_scrolled_up_the_place_is_held_while_text_streams_below() -> None:
    async with shelf(*numbered(50)) as (app, _):
        app.view.roll(-7)
        await settled(app)
        held = app.rows
        assert "more below" in held[-1]
        for count in range(1, 30):
            app.view.put(50, AnswerBlock("word " * count * 20))
        await settled(app)
        assert app.rows == held
        app.view.roll_end()
        await settled(app)
        assert app.rows[-1].endswith("word")
        await until(lambda: app.heard_follows == [False, True])  # said behind the frame


async def test_rolling_down_to_the_end_follows_again() -> None:
    async with shelf(*numbered(50)) as (app, _):
        app.view.roll_pages(-2)
        app.view.roll_pages(1)
        assert not app.view.follows
        app.view.roll_pages(5)
        assert app.view.follows
        app.view.roll_top()
        await settled(app)
        assert app.rows[0] == "  message 0"


async def test_a_page_up_keeps_a_row_in_sight() -> None:
    async with shelf(*numbered(99)) as (app, _):
        app.view.roll_pages(-1)
        await settled(app)
        second = app.rows
        app.view.roll_pages(-1)
        await settled(app)
        assert "more below" in app.rows[-1]
        assert app.rows[app.view.window.page - 1] == second[0]


@pytest.mark.parametrize("count", [50, 5_000])
async def test_the_cost_of_a_repaint_does_not_depend_on_the_length(count: int) -> None:
    async with shelf(*numbered(count)) as (app, _):
        height = app.view.size.height
        assert app.view.sheet.draws <= height
        assert app.view.counts.most_rows <= height + 2
        before, drawn = app.view.counts.rows, app.view.sheet.draws
        app.view.put(count, AnswerBlock("one more"))
        await settled(app)
        assert app.view.counts.rows - before == 2
        assert app.view.sheet.draws - drawn == 1
        app.view.roll(-100)
        await settled(app)
        assert app.view.counts.most_rows <= height + 2


async def test_the_counters_are_the_same_at_50_and_at_5000_messages() -> None:
    seen = []
    for count in (50, 5_000):
        async with shelf(*numbered(count)) as (app, _):
            for step in range(20):
                app.view.put(count, AnswerBlock("a few words " * step))
                await settled(app)
            seen.append((app.view.counts, app.view.sheet.draws))
    assert seen[0] == seen[1]


async def test_many_changes_at_once_are_one_repaint() -> None:
    async with shelf(*numbered(5)) as (app, _):
        before = app.view.counts.repaints, app.view.sheet.draws
        for number in range(200):
            app.view.put(5, AnswerBlock(f"growing {number}"))
        await settled(app)
        assert (app.view.counts.repaints, app.view.sheet.draws) == (before[0] + 1, before[1] + 1)


async def test_it_repaints_at_most_thirty_times_a_second() -> None:
    async with shelf(*numbered(5)) as (app, _):
        before, began = app.view.counts.repaints, time.monotonic()
        for number in range(100):
            app.view.put(5, AnswerBlock(f"growing {number}"))
            await asyncio.sleep(0.005)
        await settled(app)
        frames = app.view.counts.repaints - before
        assert 1 < frames <= (time.monotonic() - began) * 30 + 1


async def test_nothing_new_costs_nothing() -> None:
    async with shelf(*numbered(50)) as (app, _):
        counts, draws = app.view.counts.rows, app.view.sheet.draws
        app.view.put(49, app.view.sheet.blocks[49])
        app.view.tick()
        app.view.roll_end()
        await settled(app)
        assert (app.view.counts.rows, app.view.sheet.draws) == (counts, draws)


async def test_a_finished_block_is_drawn_once_for_each_width() -> None:
    async with shelf(*numbered(3)) as (app, pilot):
        assert app.view.sheet.draws == 3
        await pilot.resize_terminal(60, 24)
        await settled(app)
        app.view.roll(-1)
        app.view.roll_end()
        await settled(app)
        assert app.view.sheet.draws == 6


async def test_a_resize_while_scrolled_up_keeps_the_block_at_the_top() -> None:
    async with shelf(*numbered(80)) as (app, pilot):
        app.view.roll(-40)
        await settled(app)
        top = app.view.window.top.block
        await pilot.resize_terminal(50, 15)
        await settled(app)
        assert app.view.window.top.block == top
        assert app.rows[0] == f"  message {top}" or app.rows[1] == f"  message {top}"


async def test_cut_blocks_are_gone_and_the_rest_is_seen_from_its_end() -> None:
    async with shelf(*numbered(50)) as (app, _):
        app.view.cut(10)
        await settled(app)
        assert [row for row in app.rows if row][-1] == "  message 9"
        app.view.cut(0)
        await settled(app)
        assert not any(app.rows)


async def test_a_block_that_cannot_be_drawn_is_a_line_and_the_rest_stays() -> None:
    async with shelf(*numbered(3)) as (app, _):
        app.view.put(3, PromptBlock(None))  # type: ignore[arg-type]  # what a broken part gives
        app.view.put(4, AnswerBlock("after it"))
        await settled(app)
        shown = [row for row in app.rows if row]
        assert shown[2:] == [
            "  message 2",
            "  This part cannot be drawn: AttributeError: 'NoneType' object has no attribute",
            "  after it",
        ] or ("cannot be drawn" in shown[3] and shown[4] == "  after it")


async def test_control_sequences_in_a_line_are_not_passed_on() -> None:
    async with shelf(AnswerBlock("a\x1b[31m\x07b\u009b2Jc")) as (app, _):
        strips = app.view.render_lines(app.view.region.reset_offset)
        assert strips[0].text.strip() == "abc"


async def test_cards_stand_close_and_open_by_a_click_on_their_head() -> None:
    call = CallBlock("1", "shell", output="14 passed")
    async with shelf(AnswerBlock("look"), call, NoteBlock("note"), call) as (app, pilot):
        assert app.rows[:5] == ["  look", "", "   ● shell", "  note", "   ● shell"]
        await pilot.click(TranscriptView, offset=(6, 2))
        await settled(app)
        assert app.rows[2:5] == ["   ● shell", "   │ 14 passed", "  note"]
        app.view.toggle_all(CallBlock)
        await settled(app)
        assert app.rows[2:7] == [*app.rows[2:4], "  note", "   ● shell", "   │ 14 passed"]


async def test_a_double_click_opens_and_selects_nothing() -> None:
    async with shelf(AnswerBlock("words"), ReasoningBlock("deep\nthoughts", 0.0)) as (app, pilot):
        await pilot.click(TranscriptView, offset=(4, 0), times=2)
        assert app.view.sheet.opened(0)
        assert not app.screen.get_selected_text()
        assert app.focused is app.query_one(Input)


async def test_the_focus_goes_from_block_to_block_and_opens_them() -> None:
    call = CallBlock("1", "shell", output="14 passed")
    async with shelf(*numbered(40), call) as (app, _):
        app.view.next_block()
        app.view.open_focused()
        await settled(app)
        assert app.rows[-1] == "   │ 14 passed"
        for _ in range(30):
            app.view.next_block(-1)
        await settled(app)
        assert app.view.picture.focused == 10
        assert "  message 10" in app.rows
        strip = app.view.render_lines(app.view.region.reset_offset)[app.rows.index("  message 10")]
        assert next(iter(strip)).style.bgcolor == STYLES["focus"].bgcolor  # type: ignore[union-attr]  # it has one
        await until(lambda: app.heard_focused[-30:] == list(range(39, 9, -1)))


async def test_a_selection_is_the_text_and_not_the_cells() -> None:
    text = "a paragraph that is longer than the thirty columns it has here\nand a second line"
    async with shelf(AnswerBlock(text), AnswerBlock("the end"), size=(30, 20)) as (app, pilot):
        await pilot.mouse_down(TranscriptView, offset=(0, 0))
        await pilot.hover(TranscriptView, offset=(8, app.rows.index("  the end")))
        await pilot.mouse_up(TranscriptView, offset=(8, app.rows.index("  the end")))
        await settled(app)
        assert app.screen.get_selected_text() == text + "\n\nthe end"


async def test_a_selection_survives_rows_that_come_and_scrolling() -> None:
    async with shelf(*numbered(60)) as (app, pilot):
        app.view.roll(-20)
        await settled(app)
        y = next(y for y, row in enumerate(app.rows) if row)
        wanted = app.rows[y].strip()
        await pilot.mouse_down(TranscriptView, offset=(2, y))
        await pilot.hover(TranscriptView, offset=(40, y))
        await pilot.mouse_up(TranscriptView, offset=(40, y))
        app.view.roll(-9)
        app.view.put(60, AnswerBlock("new"))
        await settled(app)
        assert app.screen.get_selected_text() == wanted


async def drag(app: Shelf, pilot: Pilot[None], *way: tuple[int, int]) -> None:
    """From the first of these places over the others, with the button down."""
    await pilot.mouse_down(TranscriptView, offset=way[0])
    for x, y in way[1:]:
        given = (0, 0, 1, False, False, False)
        app.screen._forward_event(MouseMove(None, x, y, *given, screen_x=x, screen_y=y))
        await pilot.pause()


@pytest.mark.parametrize("end", [23, 40], ids=["the last row", "below"])
async def test_a_selection_that_is_drawn_past_the_end_scrolls_on(end: int) -> None:
    async with shelf(*numbered(60), size=(80, 24)) as (app, pilot):
        app.view.roll_top()
        await settled(app)
        last = app.view.region.bottom - 1
        await drag(app, pilot, (2, 4), (5, 10), (5, min(end, last) if end == 23 else end))
        await until(lambda: app.view.follows)
        await pilot.mouse_up(TranscriptView, offset=(5, last))
        await settled(app)
        chosen = (app.screen.get_selected_text() or "").split("\n\n")
        assert chosen == [f"message {number}" for number in range(2, 60)]
        top = app.view.window.top
        await pilot.pause(0.2)
        assert app.view.window.top == top
        assert app.mouse_captured is None


async def test_a_selection_that_is_drawn_past_the_beginning_scrolls_on() -> None:
    async with shelf(*numbered(40)) as (app, pilot):
        last = app.view.region.bottom - 1
        assert app.rows[last] == "  message 39"
        await drag(app, pilot, (11, last), (5, 10), (5, 0))
        await until(lambda: app.view.window.top == (0, 0))
        await pilot.mouse_up(TranscriptView, offset=(5, 0))
        await settled(app)
        chosen = (app.screen.get_selected_text() or "").split("\n\n")
        assert chosen == [*(f"message {number}" for number in range(39)), "message 3"]


async def test_a_drag_within_the_first_row_scrolls_nothing() -> None:
    async with shelf(*numbered(40)) as (app, pilot):
        app.view.roll(-9)
        await settled(app)
        top = app.view.window.top
        await drag(app, pilot, (2, 0), (6, 0), (8, 0))
        await pilot.pause(0.2)
        assert app.view.window.top == top
        await pilot.mouse_up(TranscriptView, offset=(8, 0))


async def test_to_copy_all_draws_hardly_anything_and_leaves_folded_thoughts_out() -> None:
    blocks = [
        *numbered(3_000),
        ReasoningBlock("secretly", 0.0),
        AnswerBlock("a\x1b[2Jb"),
        *numbered(9),
    ]
    async with shelf(*blocks) as (app, _):
        before = app.view.sheet.draws
        app.view.text_select_all()
        text = app.screen.get_selected_text() or ""
        assert app.view.sheet.draws - before <= 2
        assert text.startswith("message 0\n\nmessage 1\n\n")
        assert text.endswith(
            "message 2999\n\nab\n\n" + "\n\n".join(f"message {n}" for n in range(9))
        )


async def test_found_words_are_counted_visited_and_opened_where_they_are_folded() -> None:
    call = CallBlock("1", "shell", output="the needle\nis here")
    blocks = [*numbered(30), call, *numbered(30), AnswerBlock("a Needle and a needle")]
    async with shelf(*blocks) as (app, _):
        app.view.find("needle")
        await until(lambda: app.heard_found == [3])
        visited = []
        for _ in range(4):
            app.view.next_match(-1)
            await settled(app)
            visited.append(app.view.picture.finding.current)  # type: ignore[union-attr]  # it is on
        assert visited == [(61, 1), (61, 0), (30, 0), (61, 1)]
        assert app.view.sheet.opened(30)
        app.view.find("no such words")
        before = app.view.window.top
        app.view.next_match()
        await until(lambda: app.heard_found == [3, 0])
        await settled(app)
        assert app.view.window.top == before


async def test_the_newest_search_wins_and_every_step_is_made() -> None:
    async with shelf(*numbered(30), AnswerBlock("a needle, a needle, a needle")) as (app, _):
        for words in ("m", "me", "message 1", "needle"):
            app.view.find(words)
        for _ in range(2):
            app.view.next_match(-1)
        await until(lambda: app.heard_found == [3])
        await settled(app)
        assert app.view.picture.finding.current == (30, 1)  # type: ignore[union-attr]  # it is on
        app.view.find("")
        await until(lambda: app.heard_found == [3, 0])


async def test_words_broken_over_rows_are_found_and_highlighted_on_both() -> None:
    async with shelf(AnswerBlock("x" * 20 + " needle haystack"), size=(32, 10)) as (app, _):
        app.view.find("needle haystack")
        await until(lambda: app.heard_found == [1])
        await settled(app)
        marked = [
            segment.text
            for strip in app.view.render_lines(app.view.region.reset_offset)
            for segment in strip
            if segment.style and segment.style.bgcolor == STYLES["match"].bgcolor
        ]
        assert marked == ["needle", "haystack"]


async def test_a_click_on_a_link_says_where_it_leads() -> None:
    async with shelf(AnswerBlock("a link"), AnswerBlock("none")) as (app, pilot):
        await pilot.click(TranscriptView, offset=(4, 0))
        await pilot.click(TranscriptView, offset=(4, 2))
        await pilot.click(TranscriptView, offset=(30, 0))
        app.view.focus_block(1)  # said last: what was said before it has been heard
        await until(lambda: app.heard_focused[-1:] == [1])
        links = [one.link for one in app.heard if isinstance(one, TranscriptView.LinkClicked)]
        assert links == ["https://b.example"]


async def test_another_palette_colours_what_is_seen_anew() -> None:
    async with shelf(AnswerBlock("words")) as (app, _):
        app.view.repaint(lambda _: Style(color="#123456"))
        await settled(app)
        strip = app.view.render_lines(app.view.region.reset_offset)[0]
        assert {segment.style.color.name for segment in strip if "w" in segment.text} == {"#123456"}  # type: ignore[union-attr]  # it has one


async def test_the_wheel_scrolls_three_rows() -> None:
    async with shelf(*numbered(60)) as (app, pilot):
        top = app.view.window.top
        await pilot._post_mouse_events([MouseScrollUp], TranscriptView, offset=(5, 5), button=0)
        await until(lambda: not app.view.follows)
        assert app.view.window.top < top
