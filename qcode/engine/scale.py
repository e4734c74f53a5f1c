"""The exact length of the next prompt, asked for where an estimate is too close to call.

A question to the server costs little, but one before each request would be paid for nothing: far
from the limit an estimate decides as well.
"""

import asyncio
from typing import Protocol

import msgspec

from qcode.engine.gauge import Gauge
from qcode.engine.room import Room, pictures
from qcode.server import tokens
from qcode.server.base import Request, ServerFacts

NEAR = 0.15
"""Of the limit. Before the first answer an estimate is off by no more, as a rule; later by less."""


class Counts(Protocol):
    """The part of a server that counts; see `server.base.Server`."""

    async def count_request(self, request: Request) -> int | None:
        """Tokens of the prompt that `request` makes; None = it does not count those."""
        ...


class Scale(msgspec.Struct):
    """Weighs the next prompt of one session."""

    room: Room
    gauge: Gauge
    server: Counts
    _silent: ServerFacts | None = msgspec.field(default=None)
    """Of the server that was asked and did not tell."""

    async def weigh(self) -> None:
        """Call it before each decision about room: the gauge is as right as that one needs it."""
        if self.room.context_tokens is None:
            return
        limit = self.room.context_tokens - self.room.needed()
        gap = abs(self.room.expected() - limit)
        if gap > NEAR * limit:
            return
        if (count := await self._count()) is not None:
            self.gauge.pin(count)
        elif gap <= NEAR * self.gauge.uncounted:
            await asyncio.to_thread(tokens.count, "")  # reads the table
            self.gauge.measure_by(tokens.count)

    async def _count(self) -> int | None:
        """By the server itself. It counts no pictures, so a prompt that has some is estimated."""
        history = self.gauge.history
        if history.facts == self._silent or any(map(pictures, history.conversation.messages)):
            return None
        count = await self.server.count_request(history.request())
        if count is None:
            self._silent = history.facts
        return count
