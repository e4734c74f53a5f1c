"""What tests need to know about real processes."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PAUSE_SECONDS = 0.02


async def until(condition: Callable[[], object], seconds: float = 5) -> bool:
    """Wait for `condition`; True when it came.

    Counts its pauses and not the clock, which goes on while a machine is held: then nobody else
    had any time either.
    """
    for _ in range(round(seconds / PAUSE_SECONDS)):
        if condition():
            return True
        # the other side is another process: there is no event to wait for
        await asyncio.sleep(PAUSE_SECONDS)
    return bool(condition())


@dataclass(frozen=True, slots=True)
class Strays:
    """A file into which commands write process numbers, for the test to look after."""

    path: Path

    def numbers(self) -> list[int]:
        """Those written so far."""
        return [int(word) for word in self.path.read_text().split()]

    def running(self) -> list[int]:
        """Those that still run."""
        return [number for number in self.numbers() if is_running(number)]

    def kill(self) -> None:
        """End what a failed test left."""
        for number in self.running():
            os.kill(number, signal.SIGKILL)


def is_running(process: int) -> bool:
    """True unless it is gone or a zombie."""
    state = Path("/proc", str(process), "stat")
    if Path("/proc/self/stat").exists():
        return state.exists() and state.read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
