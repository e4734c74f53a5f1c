"""How much a command may use; what goes beyond it is ended.

Where there can be control groups (`cells`) the kernel holds both limits; behind namespaces that of
processes (RLIMIT_NPROC), if they are not root's. In any case both are watched. A limit of address
space (RLIMIT_AS) would stop node, Java and Go, which reserve terabytes and use little. Nothing is
looked at while nothing runs.
"""

import asyncio
import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from qcode.sandbox.process import Process
from qcode.sandbox.usage import Table, proportional, resident, table, threads, tree

FIRST_SECONDS, LATER_SECONDS = 0.25, 1.5
"""Between two looks: in the first ten seconds of a command, and afterwards."""
YOUNG_SECONDS = 10.0
SHARE, MOST_SECONDS = 300, 2.0
"""A look is followed by this many times what it took (a third of a percent), up to two seconds."""
NEAR = 4
"""With more than a quarter of the processes it may have, a command is looked at often."""
TRIES = 50
"""How often what makes new processes meanwhile is ended again."""
_MEGABYTE = 1 << 20


class Limits(msgspec.Struct, frozen=True):
    """For one command and all it starts."""

    memory_bytes: int
    processes: int
    """And threads."""

    @classmethod
    def of(cls, memory_megabytes: int = 0, processes: int = 8_192) -> "Limits":
        """As the settings say it; 0 megabytes = seven eighths of what this machine has."""
        return cls(memory_megabytes * _MEGABYTE or _machine() // 8 * 7, processes)


class Warden:
    """Looks after the commands of one runner."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._watched: dict[Process, float] = {}
        """Since when, by the monotonic clock."""
        self._looking: asyncio.Task[None] | None = None
        self._near = False
        """A command has so many processes that the next look must not wait."""

    def add(self, process: Process) -> None:
        """Look after it until it has ended."""
        self._watched[process] = time.monotonic()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def close(self) -> None:
        """Look after nothing any more."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    async def _look(self) -> None:
        took = 0.0
        while self._watched:
            await asyncio.sleep(self._pause_seconds(took))
            self._watched = {it: since for it, since in self._watched.items() if _runs(it)}
            if not self._watched:
                return
            groups = {it.group.number: it for it in self._watched}
            beyond, took = await asyncio.to_thread(self._beyond, tuple(groups))
            for group, why in beyond:
                self._watched.pop(groups[group], None)
                await _end(groups[group], why)

    def _pause_seconds(self, took: float) -> float:
        if self._near:
            return FIRST_SECONDS
        youngest = time.monotonic() - max(self._watched.values())
        pause_seconds = FIRST_SECONDS if youngest < YOUNG_SECONDS else LATER_SECONDS
        return max(pause_seconds, min(took * SHARE, MOST_SECONDS))

    def _beyond(self, groups: tuple[int, ...]) -> tuple[list[tuple[int, str]], float]:
        """Groups that use too much, each with why; and the seconds that it took to know."""
        began = time.thread_time()
        rows, self._near = table(), False
        found = [(group, why) for group in groups if (why := self._why(rows, group))]
        return found, time.thread_time() - began

    def _why(self, rows: Table, group: int) -> str:
        numbers = tree(rows, group)
        count, limit = threads(rows, numbers), self.limits.memory_bytes
        self._near = self._near or count * NEAR > self.limits.processes
        if count > self.limits.processes:
            return f"it had {count} processes and threads, and {self.limits.processes} are allowed"
        if resident(rows, numbers) <= limit or (used := proportional(rows, numbers)) <= limit:
            return ""
        return f"it used {used // _MEGABYTE} MB of memory, and {limit // _MEGABYTE} MB are allowed"


def _runs(process: Process) -> bool:
    """While the shell does, nothing has to be read to know it."""
    return process.exit_code is None or process.running()


async def _end(process: Process, why: str) -> None:
    process.note(f"The command was ended: {why} (settings [sandbox]).")
    await asyncio.to_thread(_kill, process.group.number)
    await process.end(0)


def _kill(group: int) -> None:
    """All of it. The group at once; then what has left it, stopped before it is counted again."""
    rows = table()
    known = {number: rows[number].started for number in tree(rows, group)}
    with suppress(OSError):
        os.killpg(group, signal.SIGKILL)  # behind namespaces that is everything
    for _ in range(TRIES):
        rows = table()
        same = [it for it, started in known.items() if it in rows and rows[it].started == started]
        found = tree(rows, group, same)
        _signal(found, signal.SIGSTOP)
        if found <= set(same):
            break
        known = {number: rows[number].started for number in found}
    _signal(found, signal.SIGKILL)


def _signal(numbers: Iterable[int], number: signal.Signals) -> None:
    for it in numbers:
        with suppress(OSError):  # it has ended
            os.kill(it, number)


def _machine() -> int:
    """Bytes of memory, of a container where this is one."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # `max`: no limit
            found = min(found, int(Path("/sys/fs/cgroup", name).read_text()))
    return found
