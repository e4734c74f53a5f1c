"""qcode is killed at random points, again and again, and goes on each time where it was.

`QCODE_KILLS=200` (`make faults`) tries more points than the default.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from qcode.protocol.events import MessageCompleted, ToolCallFinished, ToolCallStarted
from qcode.protocol.messages import AssistantMessage, ToolMessage
from qcode.session.conversation import fold
from qcode.session.reading import Opened, read
from tests.e2e.rig import LLAMA, YOLO, words
from tests.faults.nursery import Nursery
from tests.faults.strays import left
from tests.support.script import Call, Reply
from tests.support.scripted_server import ScriptedServer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks at /proc")

KILLS = int(os.environ.get("QCODE_KILLS", "10"))
CHAIN = 5
"""So often a session is killed before it may end."""
LONG = "".join(f"{words(number)}\n" for number in range(1, 60))


@dataclass(frozen=True, slots=True)
class Step:
    """A call, and what a file is before and after it. None = it is not there."""

    call: Call
    path: str
    before: str | None
    after: str | None


STEPS = (
    Step(Call("write", {"path": "deep/new.txt", "content": LONG}), "deep/new.txt", None, LONG),
    Step(
        Call("edit", {"path": "old.txt", "old_string": "one", "new_string": "two"}),
        *("old.txt", "one\n", "two\n"),
    ),
    Step(
        Call("shell", {"command": "sleep 0.05; printf made > made.tmp; mv made.tmp made.txt"}),
        *("made.txt", None, "made"),
    ),
    Step(Call("shell", {"command": "sleep 300", "action": "start"}), "", None, None),
    Step(
        Call("shell", {"command": "sleep 0.02; rm gone.txt; sleep 0.05"}),
        "gone.txt",
        "was here\n",
        None,
    ),
    Step(
        Call("edit", {"path": "old.txt", "old_string": "two", "new_string": "three"}),
        *("old.txt", "two\n", "three\n"),
    ),
)
ORIGINAL = {"old.txt": "one\n", "gone.txt": "was here\n"}


def _now(folder: Path, path: str) -> str | None:
    try:
        return (folder / path).read_text()
    except FileNotFoundError:
        return None


@dataclass
class Model:
    """Asks for whatever is not done yet, by looking: it never loses track."""

    folder: Path
    started: set[str] = field(default_factory=set)

    def __call__(self, body: Mapping[str, Any]) -> Reply:
        said = str(body["messages"])
        for step in STEPS:
            if not step.path:
                if "sleep 300" not in said:
                    return Reply(text="So be it.", calls=(step.call,))
            elif not self._done(step):
                return Reply(text="So be it.", calls=(step.call,))
        return Reply(text="Done.")

    def _done(self, step: Step) -> bool:
        now = _now(self.folder, step.path)
        later = {one.after for one in STEPS[STEPS.index(step) :] if one.path == step.path}
        return now in later


@dataclass
class Round:
    """One session, killed `CHAIN` times, then let go on to its end."""

    nursery: Nursery
    place: Path
    flags: tuple[str, ...] = YOLO
    url: str = ""
    log: bytes = b""
    """The part of the log that was good when it was last looked at."""

    @property
    def folder(self) -> Path:
        return self.place / "project"

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "QCODE_HOME": str(self.place / "q"), "TMPDIR": str(self.place / "t")}

    def start(self, *argv: str) -> int:
        out = self.place / "out"
        return self.nursery.start([*argv], self.folder, self.environ, out)

    def prompt(self, *argv: str) -> int:
        goes_on = ("-c",) if self.log else ()
        return self.start("-p", "go on", *self.flags, "--base-url", self.url, *goes_on, *argv)

    def out(self) -> str:
        return (self.place / "out").read_text()

    def opened(self) -> Opened | None:
        logs = list((self.place / "q" / "data" / "sessions").glob("*/*.jsonl"))
        begun = [log for log in logs if _turns(read(log))]  # without a turn `-c` passes it by
        assert len(begun) <= 1, "-c began another session"
        if not begun:
            return read(logs[0]) if logs else None
        logs = begun
        opened = read(logs[0])
        assert not opened.skipped
        good = logs[0].read_bytes()[: opened.end]
        assert good.startswith(self.log), "what was in the log is not there any more"
        self.log = good
        return opened


def _turns(opened: Opened) -> int:
    return fold(opened.events).turns


def _files_are_whole(round_: Round) -> None:
    """Each is as it was before or after one of the steps, never in between."""
    for path in {step.path for step in STEPS if step.path}:
        steps = [step for step in STEPS if step.path == path]
        states = {state for step in steps for state in (step.before, step.after)}
        assert _now(round_.folder, path) in states, f"{path} is half written"
    known = {step.path for step in STEPS} | {"made.tmp"}
    for found in round_.folder.rglob("*"):
        name = found.relative_to(round_.folder).as_posix()
        assert found.is_dir() or name in known, f"{name} was left"


def _log_and_files_agree(round_: Round, opened: Opened) -> None:
    """What the log says was done is done; what was not begun is not."""
    begun = {e.call.id: e.call for e in opened.events if isinstance(e, ToolCallStarted)}
    ended = [e.message for e in opened.events if isinstance(e, ToolCallFinished)]
    done = {m.call_id for m in ended if m.status == "ok"}
    for step in STEPS[:3]:
        wanted = {key for key, call in begun.items() if _is(step, call.name, call.arguments)}
        if wanted & done:
            assert _now(round_.folder, step.path) != step.before, f"{step} is not done"
        if not wanted and step.path:
            assert _now(round_.folder, step.path) == step.before, f"{step} was not begun"


def _is(step: Step, name: str, arguments: str) -> bool:
    words = [str(value) for value in dict(step.call.arguments).values()]  # type: ignore[arg-type] # a mapping here
    return step.call.name == name and all(_json(word) in arguments for word in words)


def _json(word: str) -> str:
    return word.replace("\n", "\\n")[:200]


def _conversation_is_whole(opened: Opened) -> None:
    """In order: each call of an answer has its result before the next answer, the last may lack
    some."""
    messages = fold(opened.events).messages
    waiting: set[str] = set()
    for message in messages:
        if isinstance(message, ToolMessage):
            assert message.call_id in waiting
            waiting.discard(message.call_id)
        else:
            assert not waiting, "a call has no result, and the conversation went on"
        if isinstance(message, AssistantMessage):
            waiting = {call.id for call in message.calls}
    answers = [e.message for e in opened.events if isinstance(e, MessageCompleted)]
    assert [m for m in messages if isinstance(m, AssistantMessage)] == answers


def _kill_once(round_: Round, seconds: float) -> bool:
    """Whether it was killed before its end."""
    round_.prompt()
    time.sleep(seconds)
    code = round_.nursery.kill()
    assert code in (-signal.SIGKILL, 0), round_.out()
    assert not left(round_.folder), "a command outlives qcode"
    opened = round_.opened()
    _files_are_whole(round_)
    if opened is not None and opened.started:
        _log_and_files_agree(round_, opened)
        _conversation_is_whole(opened)
    return code != 0


def _ends_well(round_: Round) -> None:
    round_.prompt()
    assert round_.nursery.wait() == 0, round_.out()
    assert "Done." in round_.out()
    assert not left(round_.folder)
    opened = round_.opened()
    assert opened is not None
    assert not opened.lost_bytes
    _conversation_is_whole(opened)
    assert {path: _now(round_.folder, path) for path in ("old.txt", "made.txt", "gone.txt")} == {
        "old.txt": "three\n",
        "made.txt": "made",
        "gone.txt": None,
    }
    assert not list((round_.place / "t").glob("qcode-run-*")), "a temporary folder is left"
    assert not [log for log in _locked(round_) if _turns(read(log))], "a lock is left"


def _locked(round_: Round) -> list[Path]:
    """Logs with a lock beside them. One that was killed before its first turn keeps it: nobody goes
    on there."""
    logs = (path.with_suffix(".jsonl") for path in (round_.place / "q").rglob("*.lock"))
    return [log for log in logs if log.exists()]


def _edits_go_back(round_: Round) -> None:
    """Edits are kept before they are made, so they go back whoever was killed meanwhile."""
    round_.start("sessions", "rewind", "--to", "0", "--files", "--force")
    assert round_.nursery.wait() in (0, 1), round_.out()
    assert _now(round_.folder, "old.txt") == "one\n"
    assert _now(round_.folder, "deep/new.txt") is None


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    with Nursery() as made:
        yield made


FENCES = {"without a fence": YOLO, "inside the fence": ("--sandbox", "required")}


@pytest.mark.timeout(60 + 5 * KILLS)
@pytest.mark.parametrize("fence", FENCES)
def test_whoever_is_killed_goes_on_and_nothing_is_lost(
    nursery: Nursery, tmp_path: Path, capsys: pytest.CaptureFixture[str], fence: str
) -> None:
    kills = max(1, KILLS * 4 // 5 if FENCES[fence] == YOLO else KILLS // 5)
    chance = random.Random(os.environ.get("QCODE_SEED", "qcode"))
    span, tried, number = 1.0, 0, 0
    while tried < kills:
        number += 1
        round_ = Round(nursery, tmp_path / f"{number}", FENCES[fence])
        round_.folder.mkdir(parents=True)
        (round_.place / "t").mkdir()
        for path, text in ORIGINAL.items():
            (round_.folder / path).write_text(text)
        with ScriptedServer(about=LLAMA, otherwise=Model(round_.folder)) as server:
            round_.url = server.base_url
            killed = 0
            while killed < CHAIN and tried < kills:
                killed += 1
                if not _kill_once(round_, chance.uniform(0, span)):
                    break  # it was faster
                tried += 1
            began = time.monotonic()
            _ends_well(round_)
            span = max(0.3, time.monotonic() - began) if number == 1 else span
            _edits_go_back(round_)
    with capsys.disabled():
        told = f"{tried} of {tried} random kills survived {fence}, in {number} sessions"
        sys.stdout.write(f"\n{told}\n")
