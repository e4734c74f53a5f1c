"""Words that wait go back to the person who cancels, and nothing of them is sent."""

import asyncio
from pathlib import Path

from qcode.protocol.events import (
    AnyEvent,
    Returned,
    TextDelta,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
)
from qcode.protocol.inputs import Cancel, Compact, Input, Prompt, Queue, Steer, Unqueue
from tests.engine.rig import YOLO, On, Rig, configured, rig, started
from tests.support.script import Call, Pace, Reply
from tests.support.scripted_server import StartScripted

SLEEP = Reply(calls=(Call("shell", {"command": "sleep 20"}),))
SLOW = Reply(text="one two three four five", pace=Pace(delta_seconds=0.1, characters=4))


def when_it_runs(run: Rig, *said: Input) -> On:
    """Say these once the command of the first answer runs."""

    def on(event: AnyEvent) -> Input | None:
        if isinstance(event, ToolCallStarted):
            for given in said:
                run.engine.submit(given)
        return None

    return on


async def test_what_waits_comes_back_steers_first_and_no_turn_follows(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(SLEEP)
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        said = (Queue("queued one"), Steer("a"), Steer("b"), Compact(), Cancel("comes back"))
        end = await run.turn("go", when_it_runs(run, *said))
        assert end.reason == "cancelled"
        await asyncio.sleep(0.2)
        assert run.engine.stream.queue.empty()
    (back,) = run.said(Returned)
    assert [message.text for message in back.messages] == ["a", "b", "queued one"]
    assert len(server.requests) == 1


async def test_a_plain_cancel_goes_on_with_what_waits_the_steer_first(
    scripted: StartScripted, tmp_path: Path
) -> None:
    """A script that cancels has no prompt to put words back into."""
    server = scripted(SLEEP, Reply(text="one"), Reply(text="two"))
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        await run.turn("go", when_it_runs(run, Queue("queued one"), Steer("steer me"), Cancel()))
        await run.until(TurnFinished)
        await run.until(TurnFinished)
    assert [one.message.text for one in run.said(TurnStarted)][1:] == ["steer me", "queued one"]
    assert run.said(Returned) == []


async def test_the_last_queued_prompt_can_be_taken_back(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(SLOW, Reply(text="ok"))
    heard: list[AnyEvent] = []

    def on(event: AnyEvent) -> Input | None:
        heard.append(event)
        if sum(isinstance(one, TextDelta) for one in heard) == 1 and isinstance(event, TextDelta):
            for given in (Queue("first"), Queue("second"), Unqueue()):
                run.engine.submit(given)
        return None

    async with rig(configured(server.base_url), started(tmp_path)) as run:
        await run.turn("go", on)
        await run.until(TurnFinished)
    assert [one.text for back in run.said(Returned) for one in back.messages] == ["second"]
    assert run.said(TurnStarted)[-1].message.text == "first"


async def test_nothing_comes_back_when_nothing_waits(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(Unqueue())
        await run.turn("go")
    assert run.said(Returned) == []


async def test_a_prompt_that_is_cancelled_before_it_began_comes_back(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(Prompt("one"))
        run.engine.submit(Cancel("comes back"))
        assert (await run.until(Returned)).messages[0].text == "one"
        assert (await run.turn("two")).reason == "end_turn"
    assert server.requests[0].messages[-1]["content"].endswith("two")
