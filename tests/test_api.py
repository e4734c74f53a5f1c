"""`from qcode import run, Session`: the engine in a process of somebody else's."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

import qcode
from qcode import Session, SyncSession, run, run_async
from qcode.api import Settings
from qcode.headless.exits import ExitCode
from qcode.protocol.errors import QcodeError
from qcode.protocol.events import (
    ApprovalRequested,
    TextDelta,
    ToolCallFinished,
    TurnFinished,
)
from qcode.protocol.inputs import ApprovalReply
from tests.support.script import Call, Pace, Reply
from tests.support.scripted_server import StartScripted

DONE = Reply(text="Done.")
SLOW = Reply(text=" ".join(map(str, range(400))), pace=Pace(characters=5, delta_seconds=0.02))
EDIT = Reply(calls=(Call("write", {"path": "a.txt", "content": "x\n"}),))


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QCODE_HOME", str(tmp_path / "home"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace."""
    made = tmp_path / "w"
    made.mkdir()
    return made


def test_run_does_the_work_and_says_what_it_came_to(scripted: StartScripted, folder: Path) -> None:
    server = scripted(EDIT, DONE)
    settings = Settings(base_url=server.base_url, permission_mode="edit")
    result = run("go", folder, settings)
    assert (result.answer, result.exit_code()) == ("Done.", ExitCode.OK)
    assert list(result.edited) == ["a.txt"]
    assert (folder / "a.txt").read_text() == "x\n"


async def test_a_session_is_a_stream_of_events_from_prompt_to_prompt(
    scripted: StartScripted, folder: Path
) -> None:
    server = scripted(EDIT, DONE, Reply(text="Again."))
    settings = Settings(base_url=server.base_url, permission_mode="edit")
    async with Session(folder, settings) as session:
        seen = [event async for event in session.prompt("go")]
        assert isinstance(seen[-1], TurnFinished)
        assert any(isinstance(event, ToolCallFinished) for event in seen)
        assert session.result.answer == "Done."
        said = [
            event.text async for event in session.prompt("more") if isinstance(event, TextDelta)
        ]
        assert "".join(said) == session.result.answer == "Again."
        assert session.result.steps == 1
    resumed = Settings(base_url=server.base_url, resume=session.session_id)
    server.add(DONE)
    assert (await run_async("on", folder, resumed)).session_id == session.session_id


def test_a_session_without_an_event_loop(scripted: StartScripted, folder: Path) -> None:
    server = scripted(EDIT, DONE, SLOW, Reply(text="Again."))
    settings = Settings(base_url=server.base_url, permission_mode="ask", person="present")
    with SyncSession(folder, settings) as session:
        for event in session.prompt("go"):
            if isinstance(event, ApprovalRequested):
                session.submit(ApprovalReply(event.request_id, "allow"))
        assert session.result.answer == "Done."
        assert (folder / "a.txt").read_text() == "x\n"
        for event in session.prompt("left"):
            if isinstance(event, TextDelta):
                break
        assert [event for event in session.prompt("more") if isinstance(event, TurnFinished)]
        assert session.result.answer == "Again."
        assert session.session_id
    server.add(SLOW)
    with SyncSession(folder, replace(settings, resume=session.session_id)) as again:
        for event in again.prompt("stop"):
            if isinstance(event, TextDelta):
                again.cancel()
        assert again.result.exit_code() == ExitCode.INTERRUPTED


def test_a_session_that_cannot_begin_leaves_no_thread(folder: Path) -> None:
    before = threading.active_count()
    with pytest.raises(QcodeError, match="nobody"), SyncSession(folder, Settings(resume="nobody")):
        pass
    assert threading.active_count() == before


async def test_a_turn_can_be_cancelled(scripted: StartScripted, folder: Path) -> None:
    settings = Settings(base_url=scripted(SLOW).base_url)
    async with Session(folder, settings) as session:
        async for event in session.prompt("go"):
            if isinstance(event, TextDelta):
                session.cancel()
    assert session.result.end is not None
    assert session.result.end.reason == "cancelled"


async def _text(session: Session, prompt: str) -> str:
    said = [event.text async for event in session.prompt(prompt) if isinstance(event, TextDelta)]
    return "".join(said)


async def _fail(session: Session) -> None:
    async for event in session.prompt("go"):
        if isinstance(event, TextDelta):
            raise ZeroDivisionError


async def test_a_turn_that_was_left_is_cancelled_and_the_next_prompt_has_its_own_events(
    scripted: StartScripted, folder: Path
) -> None:
    server = scripted(SLOW, Reply(text="Second."), SLOW, Reply(text="Fourth."))
    async with Session(folder, Settings(base_url=server.base_url)) as session:
        async for event in session.prompt("first"):
            if isinstance(event, TextDelta):
                break
        seen = [event async for event in session.prompt("second")]
        assert [event.reason for event in seen if isinstance(event, TurnFinished)] == ["end_turn"]
        assert session.result.answer == "Second."
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_text(session, "third"), 0.5)
        assert [event async for event in session.prompt("fourth")]
        assert session.result.answer == "Fourth."


async def test_two_prompts_at_once_are_refused(scripted: StartScripted, folder: Path) -> None:
    server = scripted(SLOW)
    async with Session(folder, Settings(base_url=server.base_url)) as session:
        first = asyncio.create_task(_text(session, "first"))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="wait for its end"):
            await _text(session, "second")
        assert await first == session.result.answer == SLOW.text


async def test_a_session_that_is_not_open_says_so(scripted: StartScripted, folder: Path) -> None:
    session = Session(folder, Settings(base_url=scripted(DONE).base_url))
    with pytest.raises(RuntimeError, match="is not open"):
        await anext(session.prompt("go"))
    async with session:
        with pytest.raises(RuntimeError, match="open already"):
            await session.__aenter__()
        assert [event async for event in session.prompt("go")]
    with pytest.raises(RuntimeError, match="is not open"):
        await anext(session.prompt("go"))
    with pytest.raises(RuntimeError, match="is not open"):
        session.cancel()


async def test_a_session_goes_on_after_an_error_of_the_program(
    scripted: StartScripted, folder: Path
) -> None:
    settings = Settings(base_url=scripted(SLOW).base_url)
    async with Session(folder, settings) as session:
        with pytest.raises(ZeroDivisionError):
            await _fail(session)
    async with Session(folder, replace(settings, resume=session.session_id)) as again:
        assert again.session_id == session.session_id


async def test_a_program_may_answer_for_itself(scripted: StartScripted, folder: Path) -> None:
    server = scripted(EDIT, DONE)
    settings = Settings(base_url=server.base_url, permission_mode="ask", person="present")
    async with Session(folder, settings) as session:
        async for event in session.prompt("go"):
            if isinstance(event, ApprovalRequested):
                session.submit(ApprovalReply(event.request_id, "allow"))
    assert (folder / "a.txt").read_text() == "x\n"


def test_nobody_is_asked_and_what_would_be_is_denied(scripted: StartScripted, folder: Path) -> None:
    server = scripted(EDIT, DONE)
    result = run("go", folder, Settings(base_url=server.base_url, permission_mode="ask"))
    assert [denial.call.name for denial in result.denials] == ["write"]
    assert not (folder / "a.txt").exists()


def test_a_value_by_a_schema(scripted: StartScripted, folder: Path) -> None:
    server = scripted(Reply(calls=(Call("structured_output", {"n": 7}),)))
    schema = '{"type":"object","properties":{"n":{"type":"integer"}}}'
    assert run("go", folder, Settings(base_url=server.base_url, schema=schema)).structured == {
        "n": 7
    }


def test_what_cannot_begin_is_an_error_with_a_sentence(folder: Path) -> None:
    with pytest.raises(QcodeError, match="nobody"):
        run("go", folder, Settings(resume="nobody"))


def test_importing_qcode_imports_nothing_of_it() -> None:
    line = "import qcode, sys; print(*(m for m in sys.modules if m.startswith('qcode.')))"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_name_that_is_not_there_is_no_part_of_the_package() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = qcode.nonsense
