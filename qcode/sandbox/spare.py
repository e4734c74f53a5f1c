"""A launcher that waits for its command: what it takes to start is not waited for."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from qcode.sandbox.base import NotStarted
from qcode.sandbox.capture import Capture
from qcode.sandbox.fence import Fence
from qcode.sandbox.group import Group
from qcode.sandbox.keeper import Keeper
from qcode.sandbox.process import Launch, Process, spawn

PAUSE_SECONDS = 0.1
"""After a command began: it should have the processor to itself first."""


class Waiting(msgspec.Struct, frozen=True):
    """It has no command yet."""

    shell: asyncio.subprocess.Process
    pipe: int
    told: int

    def become(self, data: bytes, capture: Capture, keeper: Keeper) -> Process:
        """Give it its command. Raises OSError when it has ended."""
        try:
            with os.fdopen(self.told, "wb") as told:
                told.write(data)
        except OSError:
            os.close(self.pipe)
            raise
        return Process(self.shell, self.pipe, capture, keeper)

    async def end(self, keeper: Keeper) -> None:
        """It is not needed."""
        os.close(self.told)
        os.close(self.pipe)
        await Group(self.shell.pid, keeper.ended).end(0)
        await self.shell.wait()


class Spare:
    """At most one that waits."""

    def __init__(self, fence: Fence, keeper: Keeper) -> None:
        self._fence = fence
        self._keeper = keeper
        self._waiting: Waiting | None = None
        self._making: asyncio.Task[None] | None = None

    def take(self) -> Waiting | None:
        """The one that waits, if it does; another one is made a little later."""
        found, self._waiting = self._waiting, None
        if self._making is None or self._making.done():
            self._making = asyncio.create_task(self._make())
        return found

    async def close(self) -> None:
        """None is needed any more."""
        if self._making is not None:
            self._making.cancel()
            with suppress(asyncio.CancelledError):
                await self._making
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            await waiting.end(self._keeper)

    async def _make(self) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        try:
            ahead = self._fence.ahead()
        except OSError:  # no file to be had: the command starts its own
            return
        if ahead is None:
            return
        try:
            launch = Launch("", ahead.words, Path("/"), {}, ahead.descriptors)
            shell, pipe = await spawn(launch, self._keeper)
        except BaseException as error:
            os.close(ahead.told)
            if not isinstance(error, NotStarted):
                raise
            return
        self._waiting = Waiting(shell, pipe, ahead.told)
