"""Output of a running command for the eye: clean, and not more often than an eye can follow."""

import asyncio
import re
from collections.abc import Callable

from qcode.sandbox.capture import readable

INTERVAL_SECONDS = 0.05
PENDING_BYTES = 8_000

_UNFINISHED = re.compile(
    rb"(?:\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*)?"  # a control sequence that goes on
    rb"|[\xc0-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xff][\x80-\xbf]{0,2})\Z"  # or a character
)


class Live:
    """Collects bytes and hands text on, at most every `INTERVAL_SECONDS`."""

    def __init__(self, on_output: Callable[[str], None]) -> None:
        self._on_output = on_output
        self._pending = bytearray()
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, data: bytes) -> None:
        """Take the next bytes; of a flood only the last ones are shown."""
        self._pending += data[-PENDING_BYTES:]
        del self._pending[:-PENDING_BYTES]
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(INTERVAL_SECONDS, self._flush)

    def close(self) -> None:
        """Hand on what is left; afterwards nothing comes."""
        if self._timer is not None:
            self._timer.cancel()
            self._flush()
        self._on_output = _nowhere

    def _flush(self) -> None:
        self._timer = None
        rest = _UNFINISHED.search(self._pending)
        end = rest.start() if rest else len(self._pending)
        text = readable(self._pending[:end])
        del self._pending[:end]
        if text:
            self._on_output(text)


def _nowhere(text: str) -> None:
    """Where output goes that nobody watches."""
