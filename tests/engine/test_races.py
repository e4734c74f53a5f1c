"""Inputs that come at the edges of a turn: before it begins, while it ends."""

import asyncio
from pathlib import Path

import pytest

from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    ToolCallFinished,
    TurnFinished,
)
from qcode.protocol.inputs import Cancel, Input, Prompt, Steer
from qcode.session.store import Store
from tests.engine.rig import YOLO, configured, rig, started
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted


async def test_a_cancel_right_behind_the_prompt_ends_the_turn(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(Reply(text="ok"))
    async with rig(configured(server.base_url), started(tmp_path)) as run:
        run.engine.submit(Prompt("one"))
        run.engine.submit(Cancel())
        assert (await run.rest()).reason == "cancelled"
        assert (await run.turn("two")).reason == "end_turn"
    assert server.requests[0].messages[-1]["content"].endswith("two")


async def test_steering_while_the_check_runs_begins_the_next_turn(
    scripted: StartScripted, tmp_path: Path
) -> None:
    """The check is the last thing of a turn: no step follows that could take the words."""
    write = Call("write", {"path": "a", "content": "x"})
    server = scripted(Reply(calls=(write,)), Reply(text="Done."), Reply(text="Fini."))
    agent = {"verify": "touch checks; sleep 0.5"}
    config = configured(server.base_url, permission=YOLO, agent=agent)
    async with rig(config, started(tmp_path)) as run:
        turn = asyncio.create_task(run.turn("go"))
        while not (tmp_path / "checks").exists():  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.02)
        run.engine.submit(Steer("in French"))
        assert await turn == TurnFinished("end_turn")
        assert await run.rest() == TurnFinished("end_turn")
    assert server.requests[-1].messages[-1]["content"] == "in French"


async def test_a_cancel_settles_the_approval_that_waits(
    scripted: StartScripted, tmp_path: Path
) -> None:
    def cancel(event: AnyEvent) -> Input | None:
        return Cancel() if isinstance(event, ApprovalRequested) else None

    server = scripted(Reply(calls=(Call("shell", {"command": "touch a"}),)))
    start = started(tmp_path, person="present")
    async with rig(configured(server.base_url), start) as run:
        assert (await run.turn("go", cancel)).reason == "cancelled"
    assert [event.answer for event in run.said(ApprovalSettled)] == ["deny"]
    assert [event.message.status for event in run.said(ToolCallFinished)] == ["cancelled"]
    assert not (tmp_path / "a").exists()


async def test_a_close_that_is_cancelled_gives_the_session_free(
    scripted: StartScripted, tmp_path: Path
) -> None:
    store = Store(tmp_path / "sessions")
    log = store.create(tmp_path)
    stubborn = Call("shell", {"action": "start", "command": "trap '' TERM; sleep 30; sleep 30"})
    server = scripted(Reply(calls=(stubborn,)), Reply(text="Started."))
    config = configured(server.base_url, permission=YOLO)
    async with rig(config, started(tmp_path, log=log)) as run:
        await run.turn("go")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(run.engine.close(), 0.1)
        store.resume(log.session_id).log.close()
