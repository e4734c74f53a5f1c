"""A command runs, is bounded in time and output, and leaves nothing behind."""

import asyncio
import os
import resource
import stat
import sys
import time
from pathlib import Path

import pytest

from qcode.sandbox.base import Command, NotStarted, Output
from qcode.sandbox.capture import HEAD_BYTES, TAIL_BYTES
from qcode.sandbox.plain import PlainRunner
from qcode.sandbox.spill import CUT_NOTE, SPILL_BYTES
from tests.sandbox.conftest import MakeCommand
from tests.sandbox.processes import Strays, until


def ignore(text: str) -> None:
    """Nobody watches."""


async def run(runner: PlainRunner, command: Command) -> Output:
    return await runner.run(command, ignore)


async def test_both_streams_arrive_in_their_order(
    runner: PlainRunner, command: MakeCommand
) -> None:
    output = await run(runner, command("echo one; echo two >&2; echo three; exit 3"))
    assert (output.exit_code, output.why) == (3, "")
    assert output.head == "one\ntwo\nthree\n"
    assert (output.tail, output.left_out, output.spill, output.job) == ("", 0, None, "")


async def test_it_runs_in_the_folder_with_its_input_closed(
    runner: PlainRunner, command: MakeCommand
) -> None:
    output = await run(runner, command("pwd; read line || echo no input"))
    assert output.head == f"{command('').folder.resolve()}\nno input\n"


async def test_nothing_is_left_behind_when_nothing_was_long(
    runner: PlainRunner, command: MakeCommand, tmp_path: Path
) -> None:
    await run(runner, command("echo short"))
    assert not (tmp_path / "spill").exists()


async def test_control_sequences_and_overwritten_lines_stay_out(
    runner: PlainRunner, command: MakeCommand
) -> None:
    line = r"printf '\033[31mred\033[0m\r\n 10%%\r 50%%\r100%%\ndone \033]0;title\007\377!\n'"
    output = await run(runner, command(line))
    assert output.head == "red\n100%\ndone \ufffd!\n"


async def test_long_output_is_cut_at_lines_and_kept_whole_in_a_private_file(
    runner: PlainRunner, command: MakeCommand
) -> None:
    output = await run(runner, command("seq 1 20000"))
    whole = "".join(f"{number}\n" for number in range(1, 20001))
    assert output.spill is not None
    assert output.spill.read_text() == whole
    assert whole.startswith(output.head)
    assert whole.endswith(output.tail)
    assert output.head.endswith("\n")
    assert whole[-len(output.tail) - 1] == "\n"
    assert output.left_out == len(whole) - len(output.head) - len(output.tail)
    assert len(output.head) <= HEAD_BYTES
    assert len(output.tail) <= TAIL_BYTES
    assert stat.S_IMODE(output.spill.stat().st_mode) == 0o600
    assert stat.S_IMODE(output.spill.parent.stat().st_mode) == 0o700


async def test_one_endless_line_does_not_come_whole(
    runner: PlainRunner, command: MakeCommand
) -> None:
    output = await run(runner, command("head -c 300001 /dev/zero | tr '\\0' 'x'; printf 'ü'"))
    assert output.head + output.tail == "x" * (len(output.head + output.tail) - 1) + "ü"
    assert len(output.head) + len(output.tail) <= HEAD_BYTES + TAIL_BYTES
    assert output.spill is not None
    assert output.spill.stat().st_size == 300_003


async def test_a_flood_fills_neither_memory_nor_disk(
    runner: PlainRunner, command: MakeCommand
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    output = await run(runner, command("yes 'a line of output' | head -c 500000000; echo end"))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert output.exit_code == 0
    assert output.tail.endswith("end\n")
    assert output.spill is not None
    assert output.spill.stat().st_size == SPILL_BYTES + len(CUT_NOTE)
    assert output.spill.read_bytes().endswith(CUT_NOTE)
    assert output.left_out > 499_900_000
    assert grown < (20_000 if sys.platform == "linux" else 20_000_000)


async def test_where_no_file_can_be_made_the_output_is_still_cut(
    command: MakeCommand, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    runner = PlainRunner(tmp_path / "file" / "spill")
    output = await run(runner, command("seq 1 20000"))
    await runner.close()
    assert output.exit_code == 0
    assert output.left_out > 0
    assert output.spill is None
    assert output.tail.endswith("20000\n")


async def test_the_time_limit_ends_the_whole_group(
    runner: PlainRunner, command: MakeCommand, strays: Strays
) -> None:
    line = f"echo began; sleep 60 & echo $! $$ >{strays.path}; wait"
    began = time.monotonic()
    output = await run(runner, command(line, 0.5))
    assert time.monotonic() - began < 3
    assert output.exit_code is None
    assert output.why == "ended after 0.5 s (time limit)"
    assert output.head == "began\n"
    assert output.job == ""
    assert len(strays.numbers()) == 2
    assert await until(lambda: not strays.running())


async def test_who_ignores_term_is_killed(
    runner: PlainRunner, command: MakeCommand, strays: Strays
) -> None:
    line = f"trap '' TERM; echo $$ >{strays.path}; while true; do sleep 0.1; done"
    output = await run(runner, command(line, 0.3))
    assert "time limit" in output.why
    assert await until(lambda: not strays.running())


async def test_cancelling_while_it_starts_leaves_nothing(
    runner: PlainRunner, command: MakeCommand, strays: Strays
) -> None:
    line = f"sh -c 'echo $$ >>{strays.path}; exec sleep 60' & wait"
    for _ in range(20):
        task = asyncio.create_task(runner.run(command(line), lambda text: None))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await asyncio.sleep(0.3)  # what was left would have begun by now
    assert strays.running() == []


async def test_cancelling_ends_the_group_at_once(
    runner: PlainRunner, command: MakeCommand, strays: Strays
) -> None:
    line = f"trap '' TERM; sleep 60 & echo $! $$ >{strays.path}; wait; sleep 60"
    task = asyncio.create_task(run(runner, command(line)))
    assert await until(strays.numbers)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 2
    assert await until(lambda: not strays.running(), 0.5)


async def test_an_end_by_signal_is_named(runner: PlainRunner, command: MakeCommand) -> None:
    output = await run(runner, command("kill -SEGV $$"))
    assert output.exit_code is None
    assert output.why == "ended by signal 11 (SIGSEGV)"


async def test_what_a_command_leaves_running_does_not_hold_it_and_becomes_a_job(
    runner: PlainRunner, command: MakeCommand, strays: Strays
) -> None:
    line = f"(echo early; sleep 1; echo late; sleep 60) & echo $! >{strays.path}; echo done"
    output = await run(runner, command(line))
    assert output.exit_code == 0
    assert output.seconds < 1
    assert sorted(output.head.split()) == ["done", "early"]
    assert output.job == "job-1"
    assert runner.list()[0].state == "running"
    assert (await runner.read("job-1", 5)).text == "late\n"
    assert runner.list()[0].log.read_text().split()[-1] == "late"
    await runner.stop("job-1")
    assert await until(lambda: not strays.running())


async def test_a_silent_helper_is_found_as_well(
    runner: PlainRunner, command: MakeCommand, strays: Strays
) -> None:
    output = await run(runner, command(f"sleep 60 >/dev/null 2>&1 & echo $! >{strays.path}"))
    assert output.job == "job-1"
    await runner.close()
    assert await until(lambda: not strays.running())
    assert runner.list()[0].state == "exit 0"


async def test_output_is_shown_as_it_comes(runner: PlainRunner, command: MakeCommand) -> None:
    shown: list[tuple[float, str]] = []
    line = r"printf '\033[1mone'; sleep 0.4; echo ' two'; sleep 0.4; printf 'three\303'"
    output = await runner.run(command(line), lambda text: shown.append((time.monotonic(), text)))
    assert [text for _, text in shown] == ["one", " two\n", "three"]
    assert shown[1][0] - shown[0][0] > 0.2
    assert output.head == "one two\nthree\ufffd"


async def test_a_flood_is_shown_in_samples(runner: PlainRunner, command: MakeCommand) -> None:
    shown: list[str] = []
    await runner.run(command("seq 1 300000"), shown.append)
    assert sum(map(len, shown)) < 1_000_000
    assert shown[-1].endswith("300000\n")


async def test_a_missing_folder_is_a_sentence(runner: PlainRunner, tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match=r"The folder .*nowhere is gone"):
        await run(runner, Command("true", tmp_path / "nowhere", 5))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take longer arguments")
async def test_a_command_that_is_too_long_is_a_sentence(
    runner: PlainRunner, command: MakeCommand
) -> None:
    with pytest.raises(NotStarted, match="too long"):
        await run(runner, command("echo " + "x" * 200_000))


async def test_a_nul_in_the_command_is_a_sentence(
    runner: PlainRunner, command: MakeCommand
) -> None:
    with pytest.raises(NotStarted, match="NUL"):
        await run(runner, command("echo \0"))


async def test_no_descriptor_is_left_open(runner: PlainRunner, command: MakeCommand) -> None:
    await run(runner, command("seq 1 20000"))
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208  # not files: the descriptors
    for _ in range(5):
        await run(runner, command("seq 1 20000"))
        with pytest.raises(NotStarted):
            await run(runner, command("\0"))
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208  # the same
