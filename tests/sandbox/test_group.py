"""Who is still in a process group, whatever happens while one looks."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from signal import SIGKILL

import pytest

from qcode.sandbox.group import Group

RELAY = """
import os, sys, time
end = time.monotonic() + 20
while time.monotonic() < end:
    if os.fork():
        os._exit(0)
"""
"""One process at a time, each of which starts the next and ends."""

HEADLESS = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(20,)).start()
ctypes.CDLL(None).syscall({number}, 0)
"""
"""The first thread ends, another one runs on."""

EXIT = {"x86_64": 60, "aarch64": 93}.get(platform.machine())

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel says it itself")


@contextmanager
def running(code: str) -> Iterator["subprocess.Popen[bytes]"]:
    """In a group of its own."""
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", code], start_new_session=True)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, SIGKILL)
        process.wait()


@linux
def test_a_group_whose_processes_fork_and_end_all_the_time_is_not_taken_for_empty() -> None:
    with running(RELAY) as first:
        first.wait()
        looks = [Group(first.pid).alive() for _ in range(30)]
        assert looks == [True] * 30


@linux
@pytest.mark.skipif(EXIT is None, reason="the number of the call is not known for this processor")
def test_a_process_whose_first_thread_has_ended_is_still_there() -> None:
    with running(HEADLESS.format(number=EXIT)) as process:
        assert _until_state(process.pid, "Z")
        assert Group(process.pid).alive()


@linux
def test_zombies_that_nobody_reaps_are_nobody() -> None:
    with running("") as process:
        assert _until_state(process.pid, "Z")
        os.killpg(process.pid, 0)  # the kernel still counts it
        assert not Group(process.pid).alive()


def test_a_group_that_was_found_empty_stays_so() -> None:
    told: list[int] = []
    with running("") as process:
        process.wait()
        group = Group(process.pid, told.append)
        assert [group.alive(), group.alive()] == [False, False]
    assert told == [process.pid]


def _until_state(pid: int, state: str) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:  # noqa: PTH123  as cheap as can be
            if file.read().rpartition(")")[2].split()[0] == state:
                return True
        time.sleep(0.02)
    return False
