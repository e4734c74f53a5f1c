"""Scrolling, opening, searching and copying, by keys."""

import asyncio
import threading
from pathlib import Path

from textual.events import Key

from qcode.protocol.display import DiffBlock, OutputBlock
from qcode.protocol.events import AnyEvent, ToolCallFinished, ToolCallStarted, TurnFinished
from qcode.protocol.messages import ToolCall, ToolMessage
from qcode.tui.blocks import CallBlock
from qcode.tui.chat.attention import Attention, title
from qcode.tui.chat.clip import written
from qcode.tui.chat.frames import Frames
from qcode.tui.status import Status
from tests.tui.conftest import Engine, Enter, House
from tests.tui.test_app import beginning, ending, turn
from tests.tui.test_chat_approvals import edit, running

LONG = "\n\n".join(f"paragraph {number} of many" for number in range(60))


async def told(h: House, *events: AnyEvent, until: str) -> None:
    """The engine has said this, and it is to be seen."""
    await h.begun()
    h.engine.say(*events)
    await h.until(lambda: until in h.screen)


async def test_page_up_holds_the_place_while_more_comes(house: Enter) -> None:
    async with house() as h:
        await told(h, *beginning("go", LONG), until="paragraph 59")
        await h.press("pageup", "pageup")
        await h.until(lambda: "paragraph 59" not in h.screen)
        seen = [row for row in h.screen.splitlines() if "paragraph" in row]
        h.engine.say(*beginning("go", "more and more", 2)[2:])
        await h.until(lambda: h.app.talk.answer.endswith("more and more"))
        assert [row for row in h.screen.splitlines() if "paragraph" in row] == seen
        await h.press("alt+end")
        await h.until(lambda: "more and more" in h.screen)


async def test_words_of_the_conversation_are_found(house: Enter) -> None:
    async with house() as h:
        await told(h, *turn("go", LONG), until="paragraph 59")
        await h.press("ctrl+s")
        await h.type("paragraph 7 ")
        await h.press("enter")
        await h.until(lambda: "once" in h.screen and "paragraph 7 of many" in h.screen)
        await h.press("escape")
        await h.until(lambda: h.app.chat.prompt.has_focus_within)
        assert not h.engine.heard(type(h.engine.inputs[0]))[1:]


async def test_words_in_one_burst_with_the_key_before_them_are_looked_for(house: Enter) -> None:
    async with house() as h:
        await told(h, *turn("go", LONG), until="paragraph 59")
        for key in ("ctrl+s", *"many"):
            h.app.post_message(Key(key, key if len(key) == 1 else None))
        await h.until(lambda: "60 times" in h.screen)
        assert not h.app.chat.prompt.text


async def test_the_last_answer_is_copied_as_the_model_wrote_it(house: Enter) -> None:
    async with house() as h:
        await told(h, *turn("go", "It is **bold** and `code`."), until="It is bold")
        await h.press("alt+c")
        await h.until(lambda: h.app.clipboard)
        assert h.app.clipboard == "It is **bold** and `code`."


async def test_a_block_at_hand_is_opened_and_copied(house: Enter) -> None:
    call = ToolCall("c1", "shell", "{}")
    output = "\n".join(f"line {number}" for number in range(30))
    done = ToolCallFinished(
        ToolMessage("c1", "shell", "ok"), (OutputBlock("make", output, 0, 1.0),)
    )
    events = (*beginning("go", "")[:2], ToolCallStarted(call, "shell make"), done)
    async with house(size=(100, 50)) as h:
        await told(h, *events, TurnFinished("end_turn"), until="line 29")
        assert "line 3\n" not in h.screen + "\n"
        await h.press("ctrl+o")
        await h.until(lambda: "line 3\n" in h.screen)
        await h.press("alt+up", "alt+up", "alt+c")
        await h.until(lambda: h.app.clipboard)
        assert h.app.clipboard == f"$ make\n{output}"


async def test_a_review_is_over_when_its_call_no_longer_waits(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        h.engine.say(*running(edit()))
        await h.until(lambda: h.app.chat.approval.has_focus)
        await asyncio.sleep(0.35)  # the guard is a matter of time
        await h.press("v")
        await h.until(lambda: h.app.screen is not h.app.chat)
        h.engine.say(TurnFinished("cancelled"))
        await h.until(lambda: h.app.screen is h.app.chat)


async def test_a_session_is_opened_beside_the_event_loop(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        assert h.threads
        assert threading.current_thread() not in h.threads


async def test_a_burst_is_shown_in_few_frames() -> None:
    engine = Engine()
    shown: list[int] = []
    events = [event for _ in range(500) for event in ending("x")]
    engine.say(*events)
    frames = Frames(engine.events(), lambda come: shown.append(len(come)))
    reading = asyncio.create_task(frames.run())
    await asyncio.sleep(0.3)
    await engine.close()
    await reading
    assert sum(shown) == len(events)
    assert len(shown) <= 10


def test_who_looks_elsewhere_is_told_of_the_end_of_a_long_turn() -> None:
    runs, rests = Status(turn_since=100.0, phase="writing"), Status()
    away, here = Attention("elsewhere"), Attention("here")
    assert away.news(runs, rests, 130.0) == "qcode has finished"
    assert away.news(runs, rests, 110.0) == ""
    assert here.news(runs, rests, 130.0) == ""
    asks = Status(turn_since=100.0, phase="asking")
    assert away.news(runs, asks, 130.0) == "qcode waits for you"
    assert away.news(asks, asks, 131.0) == ""


def test_without_focus_events_silence_counts_as_absence() -> None:
    runs, rests = Status(turn_since=100.0, phase="writing"), Status()
    assert Attention("unknown", 99.0).news(runs, rests, 130.0)
    assert not Attention("unknown", 125.0).news(runs, rests, 130.0)


def test_the_title_says_what_goes_on() -> None:
    assert title(Status(phase="asking"), Path("/src/acme")) == "? qcode · acme"
    assert title(Status(), Path("/src/acme")) == "qcode · acme"


def test_a_change_is_copied_as_its_patch() -> None:
    block = CallBlock("c1", "edit", blocks=(DiffBlock("a.py", "@@ -1 +1 @@\n-a\n+b\n", 1, 1),))
    assert written(block) == "@@ -1 +1 @@\n-a\n+b\n"
