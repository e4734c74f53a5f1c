"""Control groups: where one may be made, what is written to it, and that nothing is left."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from qcode.sandbox.cells import Cell, cell, delegated
from qcode.sandbox.keeper import Keeper
from tests.sandbox.processes import is_running, until

SLICE = "user.slice/app.slice"


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """As systemd lays it out for a user, in ordinary files."""
    for group, handed_on in (
        ("", "cpu memory pids"),
        ("user.slice", "cpu"),
        (SLICE, "memory pids"),
    ):
        folder = tmp_path / group
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup.procs").touch()
        (folder / "cgroup.subtree_control").write_text(f"{handed_on}\n")
    (tmp_path / SLICE / "terminal.scope").mkdir()
    return tmp_path


def own(system: Path, *rows: str) -> Path:
    """What the kernel would say of this process."""
    (system / "own").write_text("".join(f"{row}\n" for row in rows))
    return system / "own"


def test_the_nearest_one_that_hands_memory_and_processes_on(system: Path) -> None:
    assert delegated(system, own(system, f"0::/{SLICE}/terminal.scope")) == system / SLICE
    (system / SLICE / "cgroup.subtree_control").write_text("pids\n")
    assert delegated(system, own(system, f"0::/{SLICE}/terminal.scope")) == system


def test_there_is_none_under_the_older_version_or_at_the_root(system: Path) -> None:
    rows = ("4:memory:/a", "8:pids:/", "0::/")
    assert delegated(system, own(system, *rows)) is None
    assert delegated(system, own(system, "4:memory:/a")) is None
    assert delegated(system, system / "nowhere") is None


def test_what_a_killed_one_left_is_taken_away(system: Path) -> None:
    mine, dead = system / SLICE / f"qcode-{os.getpid()}-1", system / SLICE / "qcode-99999999-1"
    mine.mkdir()
    dead.mkdir()
    delegated(system, own(system, f"0::/{SLICE}/terminal.scope"))
    assert mine.exists()
    assert not dead.exists()


def test_both_limits_are_written(system: Path) -> None:
    made = cell(system / SLICE, 1 << 30, 64)
    assert made is not None
    assert (made.folder / "memory.max").read_text() == str(1 << 30)
    assert (made.folder / "pids.max").read_text() == "64"
    assert cell(system / "nowhere", 1, 1) is None


def test_what_the_kernel_did_is_said(tmp_path: Path) -> None:
    (tmp_path / "memory.events").write_text("low 0\noom 1\noom_kill 1\n")
    (tmp_path / "pids.events").write_text("max 7\n")
    assert "limit of memory" in Cell(tmp_path).close()
    (tmp_path / "memory.events").write_text("oom_kill 0\n")
    assert "more processes" in Cell(tmp_path).close()
    (tmp_path / "pids.events").write_text("max 0\n")
    assert Cell(tmp_path).close() == ""


@pytest.fixture
def real() -> Iterator[Path]:
    """A group of this machine's, without limits: they need not be handed on for what follows."""
    for root in (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup")):
        folder = root / f"qcode-test-{os.getpid()}"
        if (root / "cgroup.procs").exists() and os.access(root, os.W_OK):
            folder.mkdir()
            yield folder
            folder.rmdir()
            return
    pytest.skip("no control group of version 2 can be made here")


def test_what_enters_is_in_it_and_ends_with_it_whatever_its_session(real: Path) -> None:
    made = Cell(real / "one")
    made.folder.mkdir()
    line = "cat /proc/self/cgroup; setsid sleep 600 >/dev/null 2>&1 & sleep 0.1"
    done = subprocess.run(made.enter(("/bin/sh", "-c", line)), capture_output=True, check=True)
    assert done.stdout.decode().splitlines()[-1].endswith(f"/{real.name}/one")
    (left,) = (made.folder / "cgroup.procs").read_text().split()
    assert made.close() == ""
    assert not made.folder.exists()
    assert not is_running(int(left))


async def test_a_keeper_closes_it_when_the_group_has_ended(real: Path) -> None:
    keeper = Keeper()
    made = Cell(real / "one")
    made.folder.mkdir()
    keeper.began(12345, made)
    keeper.ended(12345)
    assert await until(lambda: not made.folder.exists(), 1)
    assert keeper.said(12345) == ""
    await asyncio.to_thread(keeper.close)
