"""One line on a terminal that says what is asked now; nothing where stderr is none."""

import asyncio
import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from qcode.doctor.base import Probe
from qcode.headless.talk import columns_of
from qcode.protocol.text import one_line

_EVERY_SECONDS = 0.5
_CLEAR = "\r\x1b[K"


class Progress:
    """Shows the running check with the time; gone from the screen when it is left."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit = limit_seconds
        self._label = ""
        self._columns = columns_of(sys.stderr)
        self._began = time.monotonic()
        self._ticking: asyncio.Task[None] | None = None

    def tell(self, probe: Probe, _: float) -> None:
        """Another check begins."""
        self._label = f"{probe.name}: {probe.label}"
        self._draw()

    async def __aenter__(self) -> Self:
        if self._columns:
            self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._ticking:
            self._ticking.cancel()
            self._write(_CLEAR)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            self._draw()

    def _draw(self) -> None:
        if self._columns and self._label:
            elapsed = time.monotonic() - self._began
            said = f"{elapsed:4.0f} of {self._limit:.0f} s  {self._label}"
            self._write(_CLEAR + one_line(said, self._columns - 1))

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # its reader has left
            sys.stderr.write(text)
            sys.stderr.flush()
