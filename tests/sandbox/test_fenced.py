"""Inside a fence a command runs, is bounded and ended as without one, and leaves nothing."""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace

from qcode.sandbox.base import Command, NotStarted, Output
from qcode.sandbox.fenced import FencedRunner
from qcode.sandbox.ground import Ground
from qcode.sandbox.namespaces import Namespaces
from tests.sandbox.conftest import MakeCommand
from tests.sandbox.fences import marked, why_not
from tests.sandbox.processes import until

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "a fence holds")


@pytest.fixture
async def fenced(command: MakeCommand, tmp_path: Path) -> AsyncIterator[FencedRunner]:
    ground = Ground.of((command("").folder,), (), (), {"HOME": str(tmp_path)})
    it = FencedRunner(Namespaces(ground), tmp_path / "spill")
    yield it
    await it.close()


@pytest.fixture
def mark() -> str:
    """A word by which processes are found."""
    return f"mark-{uuid4().hex}"


async def run(runner: FencedRunner, command: Command) -> Output:
    return await runner.run(command, lambda text: None)


def stays(mark: str, before: str = "") -> str:
    """A shell that waits and has `mark` in its arguments."""
    return f"{before} sh -c 'sleep 600; true' {mark}"


async def test_both_streams_the_folder_and_the_exit_code(
    fenced: FencedRunner, command: MakeCommand
) -> None:
    line = "echo one; echo two >&2; pwd; read x || echo no input; exit 3"
    output = await run(fenced, command(line))
    assert output.head == f"one\ntwo\n{command('').folder.resolve()}\nno input\n"
    assert (output.exit_code, output.why, output.job) == (3, "", "")


async def test_an_end_by_signal_is_named(fenced: FencedRunner, command: MakeCommand) -> None:
    for line, why in (
        ("kill -SEGV $$", "ended by signal 11 (SIGSEGV)"),
        ("kill -9 $$", "ended by signal 9 (SIGKILL)"),
        ("kill $$", "ended by signal 15 (SIGTERM)"),
    ):
        output = await run(fenced, command(line))
        assert (output.exit_code, output.why) == (None, why)


async def test_a_broken_pipe_ends_who_writes(fenced: FencedRunner, command: MakeCommand) -> None:
    output = await run(fenced, command("yes | head -1; echo ${PIPESTATUS[0]}"))
    assert output.head == "y\n141\n"


async def test_the_time_limit_ends_all_also_in_sessions_of_their_own(
    fenced: FencedRunner, command: MakeCommand, mark: str
) -> None:
    line = f"echo began; {stays(mark, 'setsid')} & trap '' TERM; {stays(mark)}; sleep 600"
    output = await run(fenced, command(line, 0.5))
    assert output.head == "began\n"
    assert output.why == "ended after 0.5 s (time limit)"
    assert await until(lambda: not marked(mark), 1)


async def test_term_comes_before_kill(fenced: FencedRunner, command: MakeCommand) -> None:
    line = "trap 'echo last words; exit' TERM; echo began; while true; do sleep 0.05; done"
    assert (await run(fenced, command(line, 0.5))).head.endswith("last words\n")


async def test_cancelling_ends_all_at_once(
    fenced: FencedRunner, command: MakeCommand, mark: str
) -> None:
    line = f"{stays(mark, 'setsid')} & trap '' TERM; {stays(mark)}"
    task = asyncio.create_task(run(fenced, command(line)))
    assert await until(lambda: len(marked(mark)) >= 2)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 2
    assert await until(lambda: not marked(mark), 0.5)


async def test_cancelling_while_it_starts_leaves_nothing(
    fenced: FencedRunner, command: MakeCommand, mark: str
) -> None:
    for pause in range(12):
        task = asyncio.create_task(run(fenced, command(stays(mark))))
        await asyncio.sleep(pause * 0.004)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await asyncio.sleep(0.3)  # what was left would have begun by now
    assert marked(mark) == []
    await fenced.close()
    assert list(command("").folder.iterdir()) == []


async def test_what_is_left_running_becomes_a_job_and_ends_with_it(
    fenced: FencedRunner, command: MakeCommand, mark: str
) -> None:
    line = f"(echo early; sleep 0.5; echo late; {stays(mark)}) & echo done"
    output = await run(fenced, command(line))
    assert (output.exit_code, output.job) == (0, "job-1")
    assert (await fenced.read("job-1", 5)).text == "late\n"
    assert (await fenced.stop("job-1")).state == "exit 0"
    assert await until(lambda: not marked(mark), 1)


async def test_what_runs_inside_is_named_and_nothing_else(
    fenced: FencedRunner, command: MakeCommand
) -> None:
    await fenced.start(replace(command("sleep 600 #outside"), where="outside"))
    await fenced.start(command("sleep 600 #job"))
    await fenced.start(command("true #over"))
    assert await until(lambda: fenced.list()[2].state != "running")
    task = asyncio.create_task(run(fenced, command("sleep 600 #waited for")))
    assert await until(lambda: len(fenced.running()) == 2)
    assert fenced.running() == ("sleep 600 #job", "sleep 600 #waited for")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await fenced.stop("job-2")
    assert fenced.running() == ()


async def test_who_leaves_for_a_session_of_its_own_is_seen(
    fenced: FencedRunner, command: MakeCommand, mark: str
) -> None:
    output = await run(fenced, command(f"{stays(mark, 'setsid -f')} >/dev/null 2>&1"))
    assert output.job == "job-1"
    await fenced.close()
    assert await until(lambda: not marked(mark), 1)


RUNS = """
import asyncio, sys
from pathlib import Path
from qcode.sandbox.base import Command
from qcode.sandbox.fenced import FencedRunner
from qcode.sandbox.ground import Ground
from qcode.sandbox.namespaces import Namespaces

async def main(folder, mark):
    fence = Namespaces(Ground.of((folder,), (), (), {"HOME": "/nowhere"}))
    runner = FencedRunner(fence, folder / "spill")
    line = f"setsid sh -c 'sleep 600; true' {mark} & sh -c 'sleep 600; true' {mark}"
    await runner.start(Command(line, folder, 60))
    output = await runner.run(Command(line, folder, 600), lambda text: None)
    print(output, await runner.read("job-1", 0))  # it should have been killed by now

asyncio.run(main(Path(sys.argv[1]), sys.argv[2][::-1]))
"""


async def test_a_killed_qcode_takes_all_of_it_along(tmp_path: Path, mark: str) -> None:
    line = (sys.executable, "-c", RUNS, str(tmp_path), mark[::-1])
    variables = {**os.environ, "TMPDIR": str(tmp_path)}  # its private /tmp is left there
    runs = await asyncio.create_subprocess_exec(*line, env=variables)
    try:
        assert await until(lambda: len(marked(mark)) >= 4, 30)
    finally:
        runs.send_signal(signal.SIGKILL)
        await runs.wait()
    assert await until(lambda: not marked(mark), 10)


TRIES = """
import sys
from pathlib import Path
from qcode.sandbox.namespaces import Namespaces
from qcode.sandbox.trial import trial

while True:
    trial(Namespaces, Path(sys.argv[1]))
"""


def left_in(base: Path) -> str:
    """The mark of what the trial below `base` leaves running, once it tries; else empty."""
    for number in marked(f"{base}/trial-"):
        with suppress(OSError):
            words = Path(f"/proc/{number}/cmdline").read_text()
            if found := re.search(r'"abstract": "(qcode-[0-9a-f]+)"', words):
                return f"{found[1]}-left"
    return ""


async def test_a_qcode_that_is_killed_in_a_trial_takes_it_along(tmp_path: Path) -> None:
    """A trial leaves a stopped process in a session of its own, to see whether that one ends."""
    variables = {**os.environ, "TMPDIR": str(tmp_path)}  # its private /tmp is left there
    line = (sys.executable, "-c", TRIES, str(tmp_path))
    runs = await asyncio.create_subprocess_exec(*line, env=variables)
    mark = ""

    def is_seen() -> bool:
        nonlocal mark
        mark = left_in(tmp_path)
        return bool(mark and marked(mark))

    try:
        assert await until(is_seen, 30)
    finally:
        runs.send_signal(signal.SIGKILL)
        await runs.wait()
    assert await until(lambda: not marked(mark), 3)


async def test_the_environment_is_the_one_that_was_given(
    fenced: FencedRunner, command: MakeCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_TOKEN", "SECRET")
    line = Command("env", command("").folder, 30, {"ADDED": "x y\nz", "TMPDIR": "/nowhere"})
    printed = (await run(fenced, line)).head
    assert "SECRET" not in printed
    assert "ADDED=x y\nz\n" in printed
    assert "TMPDIR=/tmp\n" in printed


@pytest.mark.parametrize(
    ("line", "said"), [("echo " + "x" * 200_000, "too long"), ("echo \0", "NUL")]
)
async def test_what_cannot_be_run_is_a_sentence(
    fenced: FencedRunner, command: MakeCommand, line: str, said: str
) -> None:
    with pytest.raises(NotStarted, match=said):
        await run(fenced, command(line))


async def test_a_missing_folder_is_a_sentence(fenced: FencedRunner, tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match="is gone"):
        await run(fenced, Command("true", tmp_path / "nowhere", 5))


async def test_no_descriptor_is_left_open(fenced: FencedRunner, command: MakeCommand) -> None:
    async def count() -> int:
        await asyncio.sleep(1)  # by then the next launcher waits
        return len(os.listdir("/dev/fd"))  # noqa: PTH208 - not files: the descriptors

    await run(fenced, command("true"))
    before = await count()
    for _ in range(5):
        await run(fenced, command("true"))
        with pytest.raises(NotStarted):
            await run(fenced, command("\0"))
    assert await count() == before


async def test_nothing_is_left_on_the_disk(command: MakeCommand, tmp_path: Path) -> None:
    ground = Ground.of((command("").folder,), (), (), {"HOME": str(tmp_path)})
    it = FencedRunner(Namespaces(ground), tmp_path / "spill")
    printed = (await run(it, command("echo x >/tmp/x; cat /proc/self/mountinfo"))).head
    await it.close()
    private = next(row.split()[3] for row in printed.splitlines() if row.split()[4] == "/tmp")
    assert "qcode-" in private
    assert not Path(private).exists()
    assert list(command("").folder.iterdir()) == []
