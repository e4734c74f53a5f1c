"""However the opening of a session ends, nothing of it goes on unseen."""

import asyncio
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from qcode.protocol.errors import SessionError
from qcode.tui.chat.holding import Holder
from qcode.tui.home import Home, Opened, Wanted
from tests.tui.conftest import Engine
from tests.tui.until import until


@dataclass
class Door:
    """Opens when it is let."""

    go: threading.Event = field(default_factory=threading.Event)
    engines: list[Engine] = field(default_factory=list)

    def open(self, wanted: Wanted) -> Opened:
        """See `Home.open`."""
        self.go.wait(5)
        if wanted.resume == "none":
            raise SessionError("There is no such session.")
        self.engines.append(Engine())
        return Opened(self.engines[-1])


def held(tmp_path: Path, door: Door) -> Holder:
    return Holder(Home(tmp_path, door.open, tmp_path), lambda _: None)


async def nothing(_: Opened) -> None:
    """What is made of it."""


async def endless(_: Opened) -> None:
    """A long log is replayed."""
    await asyncio.sleep(60)


async def test_cancelled_while_it_opens_it_is_closed_once_it_is_there(tmp_path: Path) -> None:
    door = Door()
    holder = held(tmp_path, door)
    opening = asyncio.create_task(holder.open(Wanted(), nothing))
    await asyncio.sleep(0.05)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    door.go.set()
    await holder.leave()
    assert [engine.closed for engine in door.engines] == [True]


async def test_cancelled_while_it_is_prepared_it_is_closed(tmp_path: Path) -> None:
    door = Door()
    door.go.set()
    holder = held(tmp_path, door)
    opening = asyncio.create_task(holder.open(Wanted(), endless))
    await until(lambda: door.engines)
    await asyncio.sleep(0.05)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await holder.leave()
    assert door.engines[0].closed


async def test_leaving_while_it_is_prepared_closes_it_and_ends_the_opening(tmp_path: Path) -> None:
    door = Door()
    door.go.set()
    holder, prepared = held(tmp_path, door), asyncio.Event()

    async def prepare(_: Opened) -> None:
        await prepared.wait()

    opening = asyncio.create_task(holder.open(Wanted(), prepare))
    await until(lambda: door.engines)
    await holder.leave()
    assert door.engines[0].closed
    prepared.set()
    with pytest.raises(asyncio.CancelledError):
        await opening


async def test_the_next_one_closes_what_was_given_up(tmp_path: Path) -> None:
    door = Door()
    holder = held(tmp_path, door)
    opening = asyncio.create_task(holder.open(Wanted(), nothing))
    await asyncio.sleep(0.05)
    opening.cancel()
    door.go.set()
    opened, _ = await holder.open(Wanted(), nothing)
    holder.follow(opened)
    assert [engine.closed for engine in door.engines] == [True, False]
    await holder.leave()
    assert door.engines[1].closed


async def test_what_cannot_be_opened_leaves_the_session_that_is_open(tmp_path: Path) -> None:
    door = Door()
    door.go.set()
    holder = held(tmp_path, door)
    opened, _ = await holder.open(Wanted(), nothing)
    holder.follow(opened)
    with pytest.raises(SessionError):
        await holder.open(Wanted("none"), nothing)
    assert holder.is_open
    assert not door.engines[0].closed
    await holder.leave()
