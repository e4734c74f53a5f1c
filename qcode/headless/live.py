"""The live line of a terminal: what happens now, how much of it, since when. It leaves no trace."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from qcode.headless.talk import columns_of
from qcode.protocol.cells import fit

DRAW_SECONDS = 0.1
"""The line is drawn at most this often."""
TICK_SECONDS = 0.5
"""So often somebody should call `tick`: silence is drawn, too."""
QUIET_SECONDS = 2.0
"""From here on the line says how long the phase has lasted."""


class Live:
    """One line that is drawn over and over. Without a terminal (`is_on` False) nothing is."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self.is_on = out.isatty() and os.environ.get("TERM") != "dumb"
        self._phase = ""
        self._detail = ""
        self._began = 0.0
        self._pieces = 0
        self._drawn = 0.0
        self._is_there = False

    @property
    def columns(self) -> int:
        """Of the terminal; 0 = there is none."""
        return columns_of(self._out)

    def show(self, phase: str, detail: str = "") -> None:
        """Another phase, or news of the same one; no phase = nothing to show."""
        if phase != self._phase:
            self._phase, self._began, self._pieces = phase, self._clock(), 0
            self._drawn = 0.0
        self._detail = detail
        self._draw()

    def count(self, phase: str) -> None:
        """One more delta of a phase."""
        if self.is_on:
            pieces = self._pieces if phase == self._phase else 0
            self.show(phase, f"~{pieces + 1:,} token{'s' if pieces else ''}")
            self._pieces = pieces + 1

    def tick(self) -> None:
        """Time has passed."""
        self._draw()

    def clear(self) -> None:
        """Take the line away; `show` brings it back."""
        if self._is_there:
            self.write("\r\x1b[K")
            self._is_there = False

    def write(self, text: str) -> None:
        """To the terminal or wherever; a stderr that is full or gone stops nothing."""
        with suppress(OSError, ValueError):
            self._out.write(text)
            self._out.flush()

    def _draw(self) -> None:
        now = self._clock()
        if not self.is_on or not self._phase or now - self._drawn < DRAW_SECONDS:
            return
        seconds = now - self._began
        since = f"{seconds:.0f} s" if seconds >= QUIET_SECONDS else ""
        text = " · ".join(part for part in (self._phase, self._detail, since) if part)
        # Cleared behind the text, not before it: a line that is blank for a moment flickers.
        self.write(f"\r{fit(text, self.columns - 1)}\x1b[K")
        self._drawn, self._is_there = now, True
