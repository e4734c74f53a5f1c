"""A disk that is full from some line of the log on."""

from pathlib import Path

import pytest

from qcode.protocol.errors import SessionNotSaved
from qcode.protocol.events import (
    LoggedEvent,
    MessageCompleted,
    ModeChanged,
    Notice,
    Repaired,
    ToolCallFinished,
    TurnFinished,
    Usage,
)
from qcode.protocol.inputs import SetMode
from qcode.session.log import Log
from tests.engine.rig import YOLO, configured, rig, started
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted


class Full(Log):
    """A log on a disk that is full when an event of `kind` comes."""

    kind: type[LoggedEvent] = Usage

    def append(self, event: LoggedEvent) -> int:
        """As a full disk does."""
        if isinstance(event, self.kind):
            raise SessionNotSaved("the disk is full")
        return super().append(event)


@pytest.mark.parametrize("kind", [Repaired, Usage, MessageCompleted])
async def test_an_answer_is_told_whichever_line_the_disk_has_no_room_for(
    kind: type[LoggedEvent], scripted: StartScripted, tmp_path: Path
) -> None:
    log = Full.create(tmp_path / "s.jsonl")
    assert isinstance(log, Full)
    log.kind = kind
    slip = Call("todo", '{"items": "[ ] one",}')
    server = scripted(Reply(text="The bug is in a.py.", calls=(slip,)))
    async with rig(configured(server.base_url), started(tmp_path, log=log)) as run:
        end = await run.turn("where is the bug?")
    assert end.error == "SessionNotSaved"
    assert [event.message.text for event in run.said(MessageCompleted)] == ["The bug is in a.py."]


async def test_an_input_that_the_log_cannot_hold_is_taken_and_told(
    scripted: StartScripted, tmp_path: Path
) -> None:
    log = Full.create(tmp_path / "s.jsonl")
    assert isinstance(log, Full)
    log.kind = ModeChanged
    server = scripted(Reply(text="Hello."), Reply(text="Again."))
    async with rig(configured(server.base_url), started(tmp_path, log=log)) as run:
        await run.turn("hi")
        run.engine.submit(SetMode("plan"))
        await run.turn("hi again")
    assert run.said(ModeChanged) == [ModeChanged("plan")]
    assert run.said(Notice)[-1] == Notice("error", "the disk is full")


async def test_the_end_is_told_once_also_where_the_disk_has_no_room_for_it(
    scripted: StartScripted, tmp_path: Path
) -> None:
    log = Full.create(tmp_path / "s.jsonl")
    assert isinstance(log, Full)
    log.kind = TurnFinished
    server = scripted(Reply(text="Hello."), Reply(text="Again."))
    async with rig(configured(server.base_url), started(tmp_path, log=log)) as run:
        await run.turn("hi")
        await run.turn("hi again")
    first, second = run.said(TurnFinished)
    assert first == TurnFinished("error", "the disk is full", "SessionNotSaved")
    assert second.reason == "end_turn"  # the log has failed before: it is only shown


class Unflushed(Log):
    """A log whose lines do not reach the disk once a call is about to run."""

    def flush(self) -> None:
        """As a disk that fails."""
        if self.n > 4:
            raise SessionNotSaved("the disk is gone")
        super().flush()


async def test_a_call_is_not_run_when_the_log_cannot_be_brought_to_the_disk_before(
    scripted: StartScripted, tmp_path: Path
) -> None:
    log = Unflushed.create(tmp_path / "s.jsonl")
    server = scripted(Reply(calls=(Call("shell", {"command": "touch made"}),)))
    config = configured(server.base_url, permission=YOLO)
    async with rig(config, started(tmp_path, log=log)) as run:
        end = await run.turn("go")
    assert end.error == "SessionNotSaved"
    assert not (tmp_path / "made").exists()
    (result,) = run.said(ToolCallFinished)
    assert result.message.text.startswith("Not run")
    assert "unknown" not in result.message.text
