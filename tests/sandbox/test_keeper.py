"""What ends the commands of a qcode that is killed."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from qcode.sandbox.capture import Capture
from qcode.sandbox.keeper import Keeper
from qcode.sandbox.process import Launch, start
from qcode.sandbox.spill import SpillFile
from tests.sandbox.processes import Strays, is_running, until

RUNS = """
import asyncio, sys
from pathlib import Path
from qcode.sandbox.base import Command
from qcode.sandbox.plain import PlainRunner

async def main(folder):
    runner = PlainRunner(folder / "spill")
    await runner.start(Command("sleep 600 & echo $$ $! >>strays; wait", folder, 60))
    line = "echo $$ >>strays; (sleep 600; true) & echo $! >>strays; wait; true"
    await runner.run(Command(line, folder, 600), lambda text: None)

asyncio.run(main(Path(sys.argv[1])))
"""

ENDS = """
import asyncio, os, sys
from pathlib import Path
from qcode.sandbox.base import Command
from qcode.sandbox.plain import PlainRunner

async def main(folder):
    runner = PlainRunner(folder / "spill")
    await runner.run(Command("true", folder, 60), lambda text: None)
    await runner.start(Command("sleep 600", folder, 60))
    await runner.close()
    try:
        print(os.waitpid(-1, os.WNOHANG))
    except ChildProcessError:
        print("no child is left")

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_a_killed_process_takes_its_commands_and_jobs_along(
    tmp_path: Path, strays: Strays
) -> None:
    runs = await asyncio.create_subprocess_exec(sys.executable, "-c", RUNS, str(tmp_path))
    assert await until(lambda: len(strays.numbers()) == 4, 20)
    assert len(strays.running()) == 4
    runs.send_signal(signal.SIGKILL)
    await runs.wait()
    assert await until(lambda: not strays.running())


def test_who_closes_in_order_leaves_no_child(tmp_path: Path) -> None:
    ends = subprocess.run(
        [sys.executable, "-c", ENDS, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert ends.stdout == "no child is left\n"


def sleeping(keeper: Keeper) -> "subprocess.Popen[bytes]":
    """A group of its own that the keeper knows."""
    words, stdin = keeper.around(("sleep", "600"))
    return subprocess.Popen(words, stdin=stdin, start_new_session=True)


async def test_a_number_that_was_given_back_is_not_touched() -> None:
    keeper = Keeper()
    groups = mine, foreign, other = sleeping(keeper), sleeping(keeper), sleeping(keeper)
    try:
        assert await until(lambda: all(name(group) == "sleep" for group in groups))
        keeper.ended(foreign.pid)
        keeper.close()
        assert await until(lambda: not is_running(mine.pid) and not is_running(other.pid))
        assert is_running(foreign.pid)
    finally:
        for group in groups:
            group.kill()
            group.wait()


def name(process: "subprocess.Popen[bytes]") -> str:
    """What runs there."""
    line = ("ps", "-o", "comm=", "-p", str(process.pid))
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout.strip()


def test_a_command_runs_also_when_its_keeper_was_ended() -> None:
    keeper, before = Keeper(), set(children(os.getpid()))
    for _ in range(2):
        words, stdin = keeper.around(("sh", "-c", "echo done; cat"))
        (shell,) = set(children(os.getpid())) - before
        os.kill(shell, signal.SIGKILL)
        done = subprocess.run(words, stdin=stdin, capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == ("done\n", "")
    keeper.close()


def children(process: int) -> list[int]:
    """The children that run."""
    line = ("ps", "-A", "-o", "pid=,ppid=,stat=,comm=")
    rows = subprocess.run(line, capture_output=True, text=True, check=True).stdout.splitlines()
    cells = [row.split(None, 3) for row in rows]
    return [
        int(pid)
        for pid, parent, state, name in cells
        if int(parent) == process and state[0] != "Z" and name != "ps"
    ]


class Listening(Keeper):
    """Remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[int] = []

    def ended(self, group: int) -> None:
        """A group is empty."""
        self.told.append(group)
        super().ended(group)


async def test_a_group_that_ends_is_given_back_also_when_nobody_looks(tmp_path: Path) -> None:
    keeper = Listening()
    capture = Capture(lambda: SpillFile(tmp_path / "spill", "job"))
    launch = Launch("", ("sh", "-c", "echo done"), tmp_path, {"PATH": os.environ["PATH"]})
    process = await start(launch, capture, keeper)
    assert await until(lambda: keeper.told == [process.group.number])
    keeper.close()
