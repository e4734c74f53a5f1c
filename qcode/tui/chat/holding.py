"""The session that is open: its engine, its events in frames, and what it stands on."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TypeVar

from qcode.protocol.inputs import Begin, Cancel, Input, Prompt, Queue, Steer, Unqueue
from qcode.protocol.messages import Text, UserMessage
from qcode.tui.chat.frames import Frames, Show
from qcode.tui.home import Engine, Home, Opened, Wanted

T = TypeVar("T")
LOG = logging.getLogger(__name__)
WORDS = Prompt | Queue | Steer
CLOSE_SECONDS = 5.0
"""What runs has so long to end."""


class Holder:
    """At most one session at a time."""

    def __init__(self, home: Home, show: Show, early: Sequence[Input] = ()) -> None:
        self._home = home
        self._show = show
        self._early = list(early)
        """Said before there was an engine."""
        self._engine: Engine | None = None
        self._reading: asyncio.Task[None] | None = None
        self._opening: asyncio.Future[Opened] | None = None
        """What is not followed yet."""
        self._kept = AsyncExitStack()
        """What the open session stands on …"""
        self._keeping = AsyncExitStack()
        """… and the one that is opened next."""

    @property
    def is_open(self) -> bool:
        """Whether a session is followed."""
        return self._engine is not None

    async def open(
        self, wanted: Wanted, prepare: Callable[[Opened], Awaitable[T]]
    ) -> tuple[Opened, T]:
        """Another session in place of this one, and what `prepare` makes of it; `follow` it then.
        Whatever it raises, this session goes on, and nothing is left of the other."""
        await self._give_up()
        opening = asyncio.ensure_future(asyncio.to_thread(self._home.open, wanted))
        self._opening = opening
        try:
            opened = await asyncio.shield(opening)
            made = await prepare(opened)
            if self._opening is opening:
                await self.close()
        except Exception:
            await self._give_up()
            await self._keeping.aclose()
            raise
        if self._opening is not opening:  # the person has left meanwhile, and it is closed
            raise asyncio.CancelledError
        self._opening = None
        self._kept, self._keeping = self._keeping, AsyncExitStack()
        return opened, made

    def follow(self, opened: Opened) -> list[Input]:
        """Read its events from here on; what was said before there was one is to be said now, and
        where no word of it begins the session, that it is to begin."""
        self._engine = opened.engine
        frames = Frames(opened.engine.events(), self._show)
        self._reading = asyncio.create_task(frames.run(), name="events")
        early, self._early = self._early, []
        begins = any(isinstance(one, WORDS) for one in early)
        return early if begins else [*early, Begin()]

    def submit(self, given: Input) -> None:
        """Say it to the engine, or as soon as there is one."""
        if self._engine is None:
            self._early.append(given)
        else:
            self._engine.submit(given)

    def waits(self, but: Sequence[Input] = ()) -> bool:
        """Whether words, other than these, wait for an engine."""
        return any(isinstance(one, WORDS) and one not in but for one in self._early)

    def take_back(self, given: Cancel | Unqueue) -> tuple[UserMessage, ...]:
        """Words that no engine will hear: all that wait for one, or the last."""
        words = [one for one in self._early if isinstance(one, WORDS)]
        back = words if isinstance(given, Cancel) else words[-1:]
        self._early = [one for one in self._early if all(one is not other for other in back)]
        return tuple(UserMessage((Text(one.text),)) for one in back)

    async def keep(self, what: AbstractAsyncContextManager[T]) -> T:
        """Hold it open for the session that is opened next, until that is left."""
        return await self._keeping.enter_async_context(what)

    async def close(self) -> None:
        """Leave the session; it can be resumed. Nothing of it runs when this returns."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await _closed(engine)
        if self._reading is not None:
            reading, self._reading = self._reading, None
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
        await self._kept.aclose()

    async def leave(self) -> None:
        """For good, also while a session is being opened."""
        await self._give_up()
        await self.close()
        await self._keeping.aclose()

    async def _give_up(self) -> None:
        """Close what is being opened, as soon as it is there. A task that was cancelled over it
        leaves it to whoever comes next: its thread goes on."""
        opening, self._opening = self._opening, None
        if opening is not None:
            with contextlib.suppress(Exception):  # then there is nothing to close; `open` says it
                await _closed((await asyncio.shield(opening)).engine)


async def _closed(engine: Engine) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await engine.close()
    except TimeoutError:
        LOG.error("the session did not close within %s s", CLOSE_SECONDS)
