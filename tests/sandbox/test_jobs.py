"""Background commands: listed, read, stopped, ended at the end."""

import asyncio
import time
from pathlib import Path

import pytest

from qcode.sandbox.capture import TAIL_BYTES
from qcode.sandbox.plain import PlainRunner
from tests.sandbox.conftest import MakeCommand
from tests.sandbox.processes import Strays, until


async def test_a_job_runs_on_and_its_log_grows(runner: PlainRunner, command: MakeCommand) -> None:
    began = time.monotonic()
    assert await runner.start(command("echo up; sleep 0.5; echo down; exit 4")) == "job-1"
    assert time.monotonic() - began < 0.5
    job = runner.list()[0]
    assert (job.id, job.line, job.state) == (
        "job-1",
        "echo up; sleep 0.5; echo down; exit 4",
        "running",
    )
    assert (await runner.read("job-1", 5)).text == "up\n"
    last = await runner.read("job-1", 5)
    assert last.text == "down\n"
    await asyncio.sleep(0.3)
    assert (await runner.read("job-1", 5)).job.state == "exit 4"
    assert runner.list()[0].log.read_text() == "up\ndown\n"
    assert 0.4 < runner.list()[0].seconds < 5


async def test_the_clock_of_a_finished_job_stands(
    runner: PlainRunner, command: MakeCommand
) -> None:
    await runner.start(command("true"))
    await asyncio.sleep(0.3)
    first = runner.list()[0].seconds
    await asyncio.sleep(0.2)
    assert runner.list()[0].seconds == first < 0.3


async def test_reading_gives_only_what_is_new_and_says_what_it_skipped(
    runner: PlainRunner, command: MakeCommand, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    line = f"echo first; until [ -e {go} ]; do sleep 0.05; done; seq 1 9000"
    await runner.start(command(line))
    assert (await runner.read("job-1", 5)).text == "first\n"
    empty = await runner.read("job-1", 0.1)
    assert (empty.text, empty.left_out, empty.job.state) == ("", 0, "running")
    go.touch()
    assert await until(lambda: runner.list()[0].state != "running")
    reading = await runner.read("job-1", 5)
    printed = "".join(f"{number}\n" for number in range(1, 9001))
    assert printed.endswith(reading.text)
    assert 0 < len(reading.text) <= TAIL_BYTES
    assert reading.left_out == len(printed) - len(reading.text)
    assert (await runner.read("job-1", 5)).text == ""


async def test_stopping_ends_the_group_and_keeps_the_id(
    runner: PlainRunner, command: MakeCommand, strays: Strays
) -> None:
    await runner.start(command(f"sleep 60 & echo $! >{strays.path}; wait"))
    assert await until(strays.numbers)
    job = await runner.stop("job-1")
    assert job.state == "ended by signal 15"
    assert await until(lambda: not strays.running())
    assert await runner.start(command("sleep 60")) == "job-2"
    assert [it.state for it in runner.list()] == ["ended by signal 15", "running"]


async def test_stopping_twice_or_after_the_end_is_no_error(
    runner: PlainRunner, command: MakeCommand
) -> None:
    await runner.start(command("exit 2"))
    await asyncio.sleep(0.3)
    assert (await runner.stop("job-1")).state == "exit 2"
    assert (await runner.stop("job-1")).state == "exit 2"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files there")
@pytest.mark.parametrize("line", ["seq 1 9", "seq 1 9000", "sleep 60 >/dev/null 2>&1 & true"])
async def test_a_job_that_prints_no_more_holds_no_file_open(
    runner: PlainRunner, command: MakeCommand, line: str
) -> None:
    def opened() -> list[str]:
        links = Path("/proc/self/fd").iterdir()
        return [str(link.readlink()) for link in links if link.is_symlink()]

    await runner.start(command(line))
    await runner.run(command(line), lambda text: None)
    await asyncio.sleep(0.3)
    logs = {str(job.log) for job in runner.list()}
    assert logs
    assert not logs & set(opened())


async def test_an_unknown_id_is_a_key_error(runner: PlainRunner) -> None:
    with pytest.raises(KeyError):
        await runner.stop("job-9")
    with pytest.raises(KeyError):
        await runner.read("job-9", 0)


async def test_closing_ends_jobs_and_running_commands(
    command: MakeCommand, strays: Strays, tmp_path: Path
) -> None:
    runner = PlainRunner(tmp_path / "spill")
    await runner.start(
        command(f"trap '' TERM; echo $$ >>{strays.path}; while true; do sleep 1; done")
    )
    task = asyncio.create_task(
        runner.run(command(f"echo $$ >>{strays.path}; sleep 60; true"), lambda text: None)
    )
    assert await until(lambda: len(strays.numbers()) == 2)
    await runner.close()
    # On a busy machine the time to end by itself may be over before the command had any.
    assert (await task).why in ("ended by signal 15 (SIGTERM)", "ended by signal 9 (SIGKILL)")
    assert [job.state for job in runner.list()] == ["ended by signal 9"]
    assert await until(lambda: not strays.running())


async def test_logs_of_earlier_runs_are_kept(
    runner: PlainRunner, command: MakeCommand, tmp_path: Path
) -> None:
    await runner.start(command("echo old"))
    assert (await runner.read("job-1", 5)).text == "old\n"
    resumed = PlainRunner(tmp_path / "spill")
    await resumed.start(command("echo new"))
    assert (await resumed.read("job-1", 5)).text == "new\n"
    assert resumed.list()[0].log.read_text() == "new\n"
    assert runner.list()[0].log.read_text() == "old\n"
    await resumed.close()
