"""Waiting for a state, not for a time."""

import asyncio
import time
from collections.abc import Callable

from textual.pilot import Pilot


async def until(pilot: Pilot[int], met: Callable[[], object], seconds: float = 5.0) -> None:
    """Let the app work until `met()`; AssertionError when it is not in time."""
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, f"not within {seconds} s"
        await pilot.pause()
        await asyncio.sleep(0.005)
