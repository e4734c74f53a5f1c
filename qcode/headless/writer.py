"""Objects as lines on stdout, written beside the loop: a slow reader stops nothing."""

import os
import queue
import select
import threading
import time
from collections.abc import Callable
from typing import Any

from qcode.headless.encoded import encoded

MOST_BYTES = 64 * 1024 * 1024
"""So much may wait for a reader; one that lets more pile up is treated as gone."""
PATIENT_SECONDS = 600.0
"""At the end a reader has so long for each piece: who pauses, as in `less`, loses nothing."""
LAST_SECONDS = 1.0
"""The same, where a signal wants the end."""
LOOK_SECONDS = 0.1


class Writer:
    """Lines to a descriptor, in their order, by a thread of their own."""

    def __init__(self, descriptor: int, lost: Callable[[], None]) -> None:
        """`lost` is called from that thread, once, when nobody reads any more."""
        self._descriptor = descriptor
        self._lost = lost
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._waiting = 0
        self.written = 0
        """Bytes."""
        self.is_lost = False
        self.why = "nobody reads stdout any more"
        """What became of the reader, a clause; once it is lost."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def write(self, told: dict[str, Any]) -> None:
        """One object."""
        line = encoded(told).encode() + b"\n"
        if self.is_lost:
            return
        self._waiting += len(line)
        if self._waiting - self.written > MOST_BYTES:
            self._lose()
            return
        self._lines.put(line)

    def close(self, is_hurried: Callable[[], bool]) -> None:
        """Everything is written, or nobody takes it. `is_hurried`: a signal has come."""
        self._lines.put(b"")
        limit, taken, since = PATIENT_SECONDS, self.written, time.monotonic()
        while self._thread.is_alive() and not self.is_lost:
            self._thread.join(LOOK_SECONDS)
            now = time.monotonic()
            if is_hurried() and limit != LAST_SECONDS:
                limit, since = LAST_SECONDS, now
            if self.written != taken:
                taken, since = self.written, now
            elif now - since > limit:
                self._lose()

    def _run(self) -> None:
        while line := self._lines.get():
            try:
                self._put(line)
            except OSError as error:  # the reader closed its end, or the disk behind it is full
                if not isinstance(error, BrokenPipeError):
                    self.why = f"stdout cannot be written ({error.strerror})"
                self._lose()
                return

    def _put(self, line: bytes) -> None:
        left = memoryview(line)
        while left:
            try:
                count = os.write(self._descriptor, left)
            except BlockingIOError:  # whoever shares the pipe made it so
                select.select([], [self._descriptor], [])
                continue
            self.written += count
            left = left[count:]

    def _lose(self) -> None:
        if not self.is_lost:
            self.is_lost = True
            self._lost()


class Array:
    """Everything as one JSON array, at the end: Qwen Code's form of `json`."""

    def __init__(self, give_out: Callable[[str], None]) -> None:
        self._give_out = give_out
        self._kept: list[dict[str, Any]] = []

    def write(self, told: dict[str, Any]) -> None:
        """One object."""
        self._kept.append(told)

    def close(self) -> None:
        """All of them. Raises what `give_out` raises."""
        self._give_out(encoded(self._kept))
