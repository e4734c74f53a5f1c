"""The Python API for a program without an event loop; `qcode.api` is the other one."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from qcode.api import Session, Settings
from qcode.headless.result import Result
from qcode.protocol.events import AnyEvent
from qcode.protocol.inputs import Cancel, Input
from qcode.protocol.messages import Image

T = TypeVar("T")


class SyncSession:
    """`Session` for a program without an event loop: it has one in a thread of its own."""

    def __init__(self, folder: str | Path = ".", settings: Settings | None = None) -> None:
        self._session = Session(folder, settings)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        """As `Session.__aenter__`."""
        self._thread.start()
        try:
            self._wait(self._session.__aenter__())
        except BaseException:  # Ctrl+C, too: its thread must not stay
            self._stop()
            raise
        return self

    def __exit__(self, *error: Any) -> None:
        """End all that runs; the session can be resumed."""
        try:
            self._wait(self._session.__aexit__(*error))
        finally:
            self._stop()

    @property
    def session_id(self) -> str:
        """For `Settings.resume`; empty = none is kept."""
        return self._session.session_id

    @property
    def result(self) -> Result:
        """What the last prompt came to."""
        return self._session.result

    def prompt(self, text: str, images: Sequence[Image] = ()) -> Iterator[AnyEvent]:
        """As `Session.prompt`."""
        events = self._session.prompt(text, images)
        try:
            while event := self._wait(_next_of(events)):
                yield event
        except GeneratorExit:  # left by a `break`
            self._wait(events.aclose())
            raise

    def submit(self, given: Input) -> None:
        """As `Session.submit`."""
        self._loop.call_soon_threadsafe(self._session.submit, given)

    def cancel(self) -> None:
        """Stop the running turn; its `TurnFinished` follows."""
        self.submit(Cancel())

    def _wait(self, doing: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(doing, self._loop)
        try:
            return future.result()
        except BaseException:  # Ctrl+C: what is waited for here ends, too
            future.cancel()
            raise

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _next_of(events: AsyncGenerator[AnyEvent, None]) -> AnyEvent | None:
    return await anext(events, None)
