"""`from qcode import run, Session`: the engine in a process of somebody else's."""

import subprocess
import sys
from pathlib import Path

import pytest

import qcode
from qcode import Session, run, run_async
from qcode.api import Settings
from qcode.headless.exits import ExitCode
from qcode.protocol.errors import QcodeError
from qcode.protocol.events import TextDelta, ToolCallFinished, TurnFinished
from tests.support.script import Call, Pace, Reply
from tests.support.scripted_server import StartScripted

DONE = Reply(text="Done.")
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


async def test_a_turn_can_be_cancelled(scripted: StartScripted, folder: Path) -> None:
    slow = Reply(text=" ".join(map(str, range(400))), pace=Pace(5, 0.02))
    settings = Settings(base_url=scripted(slow).base_url)
    async with Session(folder, settings) as session:
        async for event in session.prompt("go"):
            if isinstance(event, TextDelta):
                session.cancel()
    assert session.result.end is not None
    assert session.result.end.reason == "cancelled"


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
