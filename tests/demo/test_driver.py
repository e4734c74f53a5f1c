"""The demo end to end: the real command line in a subprocess, against real endpoints."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qcode.demo import driver
from qcode.demo.playback import playback
from qcode.demo.script import Answer, Call, Script, bug_fix


class Told:
    """What the demo said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, text: str) -> None:
        self.lines.append(text)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def folder(self) -> Path:
        found = re.search(r"failing test: (.+)", self.text)
        assert found
        return Path(found[1])


@pytest.fixture
def told() -> Told:
    return Told()


async def no_server() -> None:
    return None


async def not_asked() -> str | None:
    raise AssertionError("a base URL is set: no other server is looked for")


@pytest.fixture
async def idle_model() -> AsyncIterator[str]:
    """An endpoint whose model looks at one file and gives up."""
    look = Answer("", "I look.", (Call("c1", "read", {"path": "hotel/rooms.py"}),))
    lost = Answer("", "I do not see what is wrong.")
    script = Script(bug_fix().prompt, (look,), green=lost, red=lost)
    async with playback(script, delta_seconds=0) as url:
        yield url


@pytest.fixture
async def cheating_model() -> AsyncIterator[str]:
    """An endpoint whose model deletes the test that fails."""
    cheat = Answer("", "", (Call("c1", "shell", {"command": "rm tests/test_rooms.py"}),))
    done = Answer("", "All tests pass now.")
    script = Script(bug_fix().prompt, (cheat,), green=done, red=done)
    async with playback(script, delta_seconds=0) as url:
        yield url


async def test_without_a_server_the_playback_fixes_the_bug(
    told: Told, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert await driver.run(driver.Plan("", no_server, parent=tmp_path), told) == 0
    assert "a script with answers written by hand for this one bug, and no model" in told.text
    assert "FAILED (errors=1)" in told.text.split("No model:")[0]
    assert "+        return self.arrival < other.departure" in told.text
    assert told.lines[-1] == "The bug is fixed: the tests are green."
    assert "The tests pass now" in capfd.readouterr().out
    assert not told.folder.parent.exists()


async def test_the_command_line_is_printed_as_it_is_run(told: Told, tmp_path: Path) -> None:
    await driver.run(driver.Plan("", no_server, parent=tmp_path), told)
    (line,) = [line for line in told.lines if "-m qcode" in line]
    assert "--permission-mode auto --sandbox off" in line
    assert f"-C {told.folder}" in line
    assert "--model 'playback (a script, no model)'" in line


async def test_a_model_that_does_not_fix_it_ends_non_zero_and_says_so(
    told: Told, tmp_path: Path, idle_model: str
) -> None:
    assert await driver.run(driver.Plan(idle_model, not_asked, parent=tmp_path), told) == 1
    assert f"Model: the one at {idle_model} (QCODE_BASE_URL)" in told.text
    assert "The demo did not fix the bug" in told.text
    assert "(nothing was changed)" in told.text
    assert told.lines[-1] == f"The folder is kept: {told.folder}"
    assert (told.folder / "hotel" / "stay.py").exists()


async def test_a_model_that_deletes_the_test_has_not_fixed_the_bug(
    told: Told, tmp_path: Path, cheating_model: str
) -> None:
    assert await driver.run(driver.Plan(cheating_model, not_asked, parent=tmp_path), told) == 1
    assert "put back before the last run: tests/test_rooms.py" in told.text
    assert "The demo did not fix the bug" in told.text


async def test_an_endpoint_that_does_not_answer_ends_it_at_once(told: Told, tmp_path: Path) -> None:
    async with playback(bug_fix()) as url:
        pass  # its port is free again
    assert await driver.run(driver.Plan(url, not_asked, parent=tmp_path), told) == 1
    assert "qcode ended with exit code 75" in told.text
    assert told.lines[-1].startswith("The demo stops here: no model answered.")
    assert "$ git diff" not in told.text
    assert not told.folder.parent.exists()


async def test_a_local_server_is_taken_before_the_playback(
    told: Told, tmp_path: Path, idle_model: str
) -> None:
    async def local() -> str:
        return idle_model

    assert await driver.run(driver.Plan("", local, parent=tmp_path), told) == 1
    assert f"the one of the local server at {idle_model}" in told.text


async def test_settings_of_the_person_do_not_lead_away_from_the_script(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QCODE_MODEL", "another-model")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    assert await driver.run(driver.Plan("", no_server, parent=tmp_path), told) == 0


async def test_kept_on_request(told: Told, tmp_path: Path) -> None:
    assert await driver.run(driver.Plan("", no_server, folder="keep", parent=tmp_path), told) == 0
    assert told.lines[-1] == f"The folder is kept: {told.folder}"
    assert (told.folder / "hotel").is_dir()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks into Linux's /proc")
async def test_an_interrupted_demo_ends_the_agent_it_started(told: Told, tmp_path: Path) -> None:
    slow = Answer("slow " * 400, "", (Call("c1", "read", {"path": "hotel/rooms.py"}),))
    script = Script(bug_fix().prompt, (slow,), green=slow, red=slow)
    async with playback(script, delta_seconds=0.1) as url:
        task = asyncio.create_task(driver.run(driver.Plan(url, not_asked, parent=tmp_path), told))
        await asyncio.to_thread(wait_for_process, tmp_path)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not agents_in(tmp_path)
    assert told.lines[-1].startswith("The folder is kept:")


def wait_for_process(folder: Path) -> None:
    while not agents_in(folder):
        time.sleep(0.02)  # the test's own time limit ends this


def agents_in(folder: Path) -> list[str]:
    """Command lines of running agents whose workspace lies in the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # it ended meanwhile
        if "-p" in words and any(word.startswith(str(folder)) for word in words):
            found.append(" ".join(words))
    return found
