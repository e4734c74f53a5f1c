"""A process group: who is still in it, and how to end it."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

_PROC = Path("/proc")
ROUNDS = 20
"""So many looks at the table of processes; who is not found out by then counts as there."""

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
    """A look at the table takes a while, and what forks and ends meanwhile is in no one look: so
    it goes on, with those that are new since, as long as something had ended before its turn came.
    """
    if not _is_there(group):
        return False
    if not (_PROC / "self" / "stat").exists():  # macOS: launchd reaps what is orphaned
        return True
    if _look(str(group), group) == "member":  # its leader, most often
        return True
    known = frozenset[str]()
    for _ in range(ROUNDS):
        listed = frozenset(filter(str.isdigit, os.listdir(_PROC)))  # noqa: PTH208 - a name is enough
        is_settled = True
        for name in sorted(listed - known, key=int, reverse=True):  # the young are ours, mostly
            found = _look(name, group)
            if found == "member":
                return True
            is_settled = is_settled and found == "other"
        if is_settled:
            return False
        known = listed
    return _is_there(group)


def _is_there(group: int) -> bool:
    """Whether anybody is in it, zombies too."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _look(name: str, group: int) -> Literal["member", "other", "ended"]:
    """What a process is. What cannot be told (no descriptor is to be had) counts as a member;
    `ended`: it may have been one, and have left another one behind."""
    try:
        with open(f"/proc/{name}/stat", "rb", buffering=0) as file:  # noqa: PTH123 - hundreds of them
            said = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return "ended"
    except OSError:
        return "member"
    fields = said.rpartition(b")")[2].split()
    if int(fields[2]) != group:
        return "other"
    threads = int(fields[17])  # the first one may have ended before the others
    return "member" if fields[0] not in (b"Z", b"X") or threads > 1 else "ended"
