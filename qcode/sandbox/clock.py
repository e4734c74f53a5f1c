"""A time limit that stands still while the command waits for a person."""

import asyncio
from types import TracebackType


class Clock:
    """As `asyncio.timeout`, but it can be held: the time in between does not count."""

    def __init__(self, seconds: float) -> None:
        self._limit = asyncio.timeout(seconds)
        self._left_seconds = 0.0
        self._holds = 0
        self._runs = False

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()
        self._runs = True

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runs = False
        await self._limit.__aexit__(kind, error, trace)

    def hold(self) -> None:
        """Stand still until as many calls of `release` have come."""
        self._holds += 1
        if self._holds == 1 and self._changes():
            self._left_seconds = (self._limit.when() or 0.0) - asyncio.get_running_loop().time()
            self._limit.reschedule(None)

    def release(self) -> None:
        """Go on with what was left."""
        self._holds -= 1
        if self._holds == 0 and self._changes():
            self._limit.reschedule(asyncio.get_running_loop().time() + self._left_seconds)

    def _changes(self) -> bool:
        return self._runs and not self._limit.expired()
