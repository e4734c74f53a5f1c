"""A process group: who is still in it, and how to end it."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

POLL_SECONDS = 0.02
KILL_WAIT_SECONDS = 2.0
"""A process in an uninterruptible call outlives KILL; nobody waits for it longer than this."""


class Group:
    """The processes that share one group. Once found empty it is never signalled again: its
    number may belong to others by then."""

    def __init__(self, number: int, emptied: Callable[[int], None] = lambda _: None) -> None:
        """`emptied` is told its number once, when it is found empty."""
        self.number = number
        self._empty = False
        self._emptied = emptied

    def alive(self) -> bool:
        """True while a process of the group runs; zombies that nobody reaps do not count."""
        if not self._empty and not _has_members(self.number):
            self._empty = True
            self._emptied(self.number)
        return not self._empty

    async def end(self, grace_seconds: float) -> None:
        """TERM, and KILL for what is still there after the grace, also when cancelled."""
        try:
            self._signal(signal.SIGTERM)
            await self.gone(grace_seconds)
        finally:
            self._signal(signal.SIGKILL)
        await self.gone(KILL_WAIT_SECONDS)

    async def gone(self, seconds: float) -> bool:
        """Wait until the group is empty, at most `seconds`."""
        deadline = time.monotonic() + seconds
        # Nothing announces that a group is empty, so there is nothing to await but time.
        while self.alive() and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)
        return not self.alive()

    def _signal(self, number: signal.Signals) -> None:
        if self.alive():
            # It may be gone by now; macOS answers "not permitted" for a group of zombies.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.number, number)


def _has_members(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    proc = Path("/proc")
    if not (proc / "self" / "stat").exists():  # macOS: launchd reaps what is orphaned
        return True
    return any(_is_member(entry, group) for entry in proc.iterdir() if entry.name.isdigit())


def _is_member(process: Path, group: int) -> bool:
    try:
        stat = (process / "stat").read_bytes()
    except OSError:  # it ended meanwhile
        return False
    state, _parent, its_group = stat.rpartition(b")")[2].split()[:3]
    return int(its_group) == group and state not in (b"Z", b"X")
