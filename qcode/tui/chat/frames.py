"""Events in frames: everything that has come since the last one, at most thirty times a second.

A key is never kept waiting behind events: between two frames the loop is free, and a burst is
taken up in pieces.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from qcode.protocol.events import AnyEvent

FRAME_SECONDS = 1 / 30
BREATH = 256
"""Events taken up without letting anything else run."""

Show = Callable[[Sequence[AnyEvent]], None]


class Frames:
    """Reads one stream of events and shows it frame by frame."""

    def __init__(self, events: AsyncIterator[AnyEvent], show: Show) -> None:
        self._events = events
        self._show = show
        self._come: list[AnyEvent] = []
        self._wake = asyncio.Event()
        self._ended = False

    async def run(self) -> None:
        """Until the stream ends; what came before its end is shown."""
        taking = asyncio.create_task(self._take())
        try:
            while not self._ended or self._come:
                await self._wake.wait()
                self._wake.clear()
                self._frame()
                await asyncio.sleep(FRAME_SECONDS)
            await taking
        finally:
            taking.cancel()

    async def _take(self) -> None:
        count = 0
        try:
            async for event in self._events:
                self._come.append(event)
                self._wake.set()
                count += 1
                if count % BREATH == 0:
                    await asyncio.sleep(0)  # a queue that is full never waits by itself
        finally:
            self._ended = True
            self._wake.set()

    def _frame(self) -> None:
        if self._come:
            come, self._come = self._come, []
            self._show(come)
