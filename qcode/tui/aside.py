"""A coroutine on a loop of its own, in a thread: what it does to disk and processor, no key waits
for."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Aside(Generic[T]):
    """Runs once; `stop` cancels it, from any thread."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._work = work
        self._door = threading.Lock()
        self._stopped = False
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None

    async def run(self) -> T | None:
        """What the coroutine gives; None = it was stopped, and gave nothing."""
        try:
            return await asyncio.to_thread(lambda: asyncio.run(self._main()))
        finally:
            self.stop()  # if nobody waits for it any more

    def stop(self) -> None:
        """Cancel it; it may still give something."""
        with self._door:
            self._stopped = True
            if self._running is not None:
                loop, task = self._running
                with suppress(RuntimeError):  # it has ended meanwhile
                    loop.call_soon_threadsafe(task.cancel)

    async def _main(self) -> T | None:
        task = asyncio.ensure_future(self._work())
        with self._door:
            self._running = asyncio.get_running_loop(), task
            if self._stopped:
                task.cancel()
        try:
            return await task
        except asyncio.CancelledError:  # the work's own, not ours: nobody cancels this loop
            return None
        finally:
            with self._door:
                self._running = None
