"""A cancel that comes while a file is being written: the result tells what happened to it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from qcode.engine.approval import Approvals
from qcode.engine.calls import Calls, Tally
from qcode.protocol.access import Answer, Verdict
from qcode.protocol.events import AnyEvent, ApprovalRequested, ToolCallFinished
from qcode.protocol.inputs import ApprovalReply
from qcode.protocol.messages import ToolCall
from qcode.sandbox.plain import PlainRunner
from qcode.tools.arguments import Parsed
from qcode.tools.base import Context, Outcome
from qcode.tools.change import Change
from qcode.tools.write import Write
from qcode.workspace.files import Workspace

BEGAN, GO = threading.Event(), threading.Event()


class Slow(Change, frozen=True):
    """A write that waits for a sign."""

    def put(self) -> str:
        """See `Change.put`."""
        BEGAN.set()
        GO.wait(10)
        return Change.put(self)


class SlowWrite(Write, frozen=True):
    """Its changes are slow ones."""

    name: ClassVar[str] = "write"

    async def _planned(self, context: Context) -> Change | Outcome:
        made = await super()._planned(context)
        assert isinstance(made, Change)
        return Slow(**{name: getattr(made, name) for name in made.__struct_fields__})


class Bench:
    """Two writes of one answer, the first of which hangs."""

    def __init__(self, folder: Path, answer: Answer) -> None:
        BEGAN.clear()
        GO.clear()
        self.said: list[AnyEvent] = []
        self.tally = Tally()
        runner = PlainRunner(folder / "spill")
        context = Context(Workspace(folder), runner, runner, folder)
        self.approvals = Approvals(lambda accesses: Verdict(answer, "test"), self.say)
        self.calls = Calls((SlowWrite,), context, self.approvals, self.say)

    def say(self, event: AnyEvent) -> None:
        """Whoever is asked allows it."""
        self.said.append(event)
        if isinstance(event, ApprovalRequested):
            reply = ApprovalReply(event.request_id, "allow")
            asyncio.get_running_loop().call_soon(self.approvals.reply, reply)

    async def run(self) -> None:
        """Both of them."""
        await self.calls.run((row("a"), row("b")), None, self.tally)

    @property
    def results(self) -> list[tuple[str, tuple[str, ...]]]:
        """How each call ended, and what it edited."""
        ends = [event for event in self.said if isinstance(event, ToolCallFinished)]
        return [(end.message.status, end.edited) for end in ends]


def row(path: str) -> "tuple[ToolCall, Parsed]":
    """A call as the engine takes it."""
    tool = SlowWrite(path, "x\n")
    arguments = msgspec.json.encode(tool).decode()
    return ToolCall(path, "write", arguments), Parsed(tool, "write", arguments)


@contextmanager
def released() -> Iterator[None]:
    """No thread is left waiting."""
    try:
        yield
    finally:
        GO.set()


@pytest.mark.parametrize("answer", ["allow", "ask"])
async def test_a_write_that_has_begun_is_told_of_and_nothing_behind_it_begins(
    answer: Answer, tmp_path: Path
) -> None:
    bench = Bench(tmp_path, answer)
    with released():
        task = asyncio.create_task(bench.run())
        assert await asyncio.to_thread(BEGAN.wait, 5)
        task.cancel()
        await asyncio.sleep(0.05)
        assert not task.done()
        GO.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert bench.results == [("ok", ("a",)), ("cancelled", ())]
    assert bench.tally.edited == ["a"]
    assert (tmp_path / "a").read_text() == "x\n"
    assert not (tmp_path / "b").exists()


async def test_a_time_limit_that_a_write_outlasts_is_still_a_time_limit(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "allow")
    with released():
        asyncio.get_running_loop().call_later(0.3, GO.set)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await bench.run()
    assert bench.results == [("ok", ("a",)), ("cancelled", ())]


async def test_a_second_cancel_does_not_wait(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "allow")
    with released():
        task = asyncio.create_task(bench.run())
        assert await asyncio.to_thread(BEGAN.wait, 5)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0.05)
        assert task.done()
    assert bench.results == [("cancelled", ()), ("cancelled", ())]
