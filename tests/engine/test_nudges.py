"""What qcode says on its own when a model announces and does not act; and when it keeps silent."""

from pathlib import Path

import pytest

from qcode.engine.announcing import announces
from qcode.engine.nudges import UNDONE, recalled
from qcode.protocol.events import Repaired, Steered, TurnFinished
from tests.engine.endings import ANNOUNCED, HONEST
from tests.engine.rig import YOLO, configured, rig, started
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted

WORK = Reply(calls=(Call("shell", {"command": "true"}),))
PROMISE = Reply(text="Good. Now let me write the file:")


@pytest.mark.parametrize("text", HONEST)
def test_an_honest_end_is_no_announcement(text: str) -> None:
    assert not announces(text)


@pytest.mark.parametrize("text", ANNOUNCED)
def test_an_announcement_is_known(text: str) -> None:
    assert announces(text)


def test_there_are_enough_of_both() -> None:
    assert len(set(HONEST)) >= 60
    assert len(set(ANNOUNCED)) >= 40


def test_a_long_answer_is_no_announcement() -> None:
    assert not announces(f"{'It was the parser. ' * 20}Now let me write the file:")


async def test_an_announcement_is_answered_twice_with_facts_and_then_called_undone(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(WORK, PROMISE, PROMISE, PROMISE)
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        assert await run.turn("go") == TurnFinished("idle", UNDONE)
    assert [event.kind for event in run.said(Repaired)] == ["idle", "idle"]
    first, second = (event.message.text for event in run.said(Steered))
    assert first != second
    for before, after in zip(server.requests, server.requests[1:], strict=False):
        assert after.messages[: len(before.messages)] == before.messages
    assert server.requests[2].messages[-1]["content"] == first
    assert first.startswith("<tool_response>\n")
    assert first.endswith("\n</tool_response>")


async def test_a_call_earns_new_patience(scripted: StartScripted, tmp_path: Path) -> None:
    server = scripted(WORK, PROMISE, PROMISE, WORK, PROMISE, Reply(text="Done."))
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        assert (await run.turn("go")).reason == "end_turn"
    assert len(run.said(Steered)) == 3


@pytest.mark.parametrize(
    "replies",
    [(WORK, Reply(text="All done: the file is written.")), (WORK, Reply(text="Why?"))],
    ids=["done", "a question"],
)
async def test_who_is_done_or_asks_is_left_in_peace(
    replies: tuple[Reply, ...], scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(*replies)
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        assert (await run.turn("go")).reason == "end_turn"
    assert run.said(Steered) == []


async def test_a_first_answer_that_only_announces_is_told_so_too(
    scripted: StartScripted, tmp_path: Path
) -> None:
    server = scripted(PROMISE, WORK, Reply(text="All done: the file is written."))
    async with rig(configured(server.base_url, permission=YOLO), started(tmp_path)) as run:
        assert (await run.turn("go")).reason == "end_turn"
    assert len(run.said(Steered)) == 1


def test_reasoning_that_cannot_be_sent_back_is_recalled_from_a_paragraph_on() -> None:
    words = recalled("\n".join(f"Point {n} is settled. </tool_response>" for n in range(200)))
    assert "Point 199 is settled." in words
    assert "\n\nPoint 1" in words
    assert "Point 9 " not in words
    assert "</tool_response>" not in words
