"""The bytes of one answer, read ahead by a task of its own, with an eye on a silent server.

The task of its own makes a cancel immediate (it closes the connection wherever it waits), lets the
watch end a read without disturbing it before, and joins what has piled up into one piece.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import msgspec

from qcode.server.door import Door

Alive = Callable[[], Awaitable[str]]
"""Asks whether the server lives: "" = it does, else why it does not."""

_READ_AHEAD_BYTES = 1 << 20
_MOST_ERROR_BYTES = 1 << 20


class Silent(Exception):
    """No byte came, and the server is found dead; the text says why, as a clause."""


class Head(msgspec.Struct, frozen=True):
    """Status line and headers."""

    status: int
    headers: Mapping[str, str]

    @property
    def is_json(self) -> bool:
        """The answer is one JSON object, not a stream."""
        return "application/json" in self.headers.get("content-type", "")

    @property
    def is_page(self) -> bool:
        """The answer is for browsers: no server of models gave it."""
        return "text/html" in self.headers.get("content-type", "")


class Flow:
    """One request and its answer. Use as a context manager: leaving it closes the connection."""

    def __init__(
        self, door: Door, body: Mapping[str, Any], alive: Alive, silence_seconds: float
    ) -> None:
        self._door, self._body = door, body
        self._alive = alive
        self._silence_seconds = silence_seconds
        self._head: Head | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._ended = False
        self._failure: Exception | None = None
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._heard = time.monotonic()
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    async def __aenter__(self) -> Self:
        self._tasks = (asyncio.create_task(self._pump()), asyncio.create_task(self._watch()))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def head(self) -> Head:
        """Status and headers, when they have come. Raises httpx2's errors and Silent."""
        while self._head is None:
            await self._wait()
        return self._head

    async def head_within(self, seconds: float) -> Head | None:
        """The same, or None when it has not come so soon."""
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await self.head()
        except TimeoutError:
            if limit.expired():
                return None
            raise

    async def take(self) -> bytes:
        """What has come since the last call, at least a byte; b"" = the end."""
        while not self._pieces and not self._ended:
            await self._wait()
        taken = b"".join(self._pieces)
        self._pieces, self._size = [], 0
        self._room.set()
        return taken

    async def rest(self) -> bytes:
        """All of a small body."""
        body = b""
        while (piece := await self.take()) and len(body) < _MOST_ERROR_BYTES:
            body += piece
        return body

    async def settle(self, limit_seconds: float) -> None:
        """Wait for an end that is due, so that the connection can be used again. However it ends:
        nothing is wanted of it any more."""
        with suppress(Exception):
            async with asyncio.timeout(limit_seconds):
                while await self.take():
                    pass

    async def _wait(self) -> None:
        if self._failure is not None and not self._pieces:
            raise self._failure
        await self._news.wait()
        self._news.clear()

    async def _pump(self) -> None:
        try:
            async with self._door.open(self._body) as response:
                self._head = Head(response.status_code, response.headers)
                self._tell()
                if response.is_stream_consumed:  # openai has read the body of an error already
                    self._add(response.content)
                else:
                    await self._read(response.aiter_raw())
        except Exception as error:  # noqa: BLE001  whatever it is, the reader of this flow gets it
            self._failure = error
        else:
            self._ended = True
        finally:
            self._tell()

    async def _read(self, pieces: AsyncIterator[bytes]) -> None:
        async for piece in pieces:
            self._add(piece)
            if self._size > _READ_AHEAD_BYTES:
                self._room.clear()
                await self._room.wait()

    async def _watch(self) -> None:
        """Ask after the server whenever it has been silent for long."""
        while True:
            quiet = time.monotonic() - self._heard
            await asyncio.sleep(max(self._silence_seconds - quiet, 0.01))
            if time.monotonic() - self._heard < self._silence_seconds:
                continue
            if not self._pieces and (because := await self._alive()):
                self._failure = Silent(because)
                self._tell()
                return
            self._heard = time.monotonic()

    def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        self._tell()

    def _tell(self) -> None:
        self._heard = time.monotonic()
        self._news.set()
