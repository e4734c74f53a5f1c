"""Waiting for a state, not for a time."""

import asyncio
import time
from collections.abc import Callable


async def until(met: Callable[[], object], seconds: float = 5.0) -> None:
    """Let the app work until `met()`; AssertionError when it is not in time.

    Without `Pilot.pause`, which waits for widgets that are gone.
    """
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, f"not within {seconds} s"
        await asyncio.sleep(0.005)
