"""A time limit that is held counts no time."""

import asyncio
import time

import pytest

from qcode.sandbox.clock import Clock


async def test_it_ends_what_takes_too_long() -> None:
    with pytest.raises(TimeoutError):
        async with Clock(0.05):
            await asyncio.sleep(5)


async def test_while_it_is_held_no_time_is_counted() -> None:
    clock = Clock(0.3)
    async with clock:
        clock.hold()
        clock.hold()
        await asyncio.sleep(0.4)
        clock.release()
        await asyncio.sleep(0.2)  # one still holds it
        clock.release()


async def test_once_released_it_ends_what_takes_too_long() -> None:
    async def wait() -> None:
        async with (clock := Clock(0.3)):
            clock.hold()
            clock.release()
            await asyncio.sleep(5)

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await wait()
    assert 0.2 < time.monotonic() - began < 2


async def test_to_release_it_when_it_is_over_does_nothing() -> None:
    clock = Clock(0.05)
    async with clock:
        clock.hold()
    clock.release()
    clock.hold()
    clock.release()


async def test_cancelling_is_not_taken_for_its_end() -> None:
    async def wait() -> None:
        async with Clock(5):
            await asyncio.sleep(5)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
