"""HTTP/1.1 by hand over asyncio streams: as much as the test servers need.

By hand because a test must see and do what a framework hides: the moment a client leaves, a reset,
a body cut anywhere.
"""

import asyncio
import contextlib
import json
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from tests.support.script import Received

HEAD_LIMIT = 64 * 1024

Json = Mapping[str, Any] | Sequence[Any] | str
"""What an answer carries: a string goes out as text, the rest as JSON."""


class Connection(asyncio.StreamReaderProtocol):
    """One client's connection; `gone` is set as soon as the client has closed it."""

    def __init__(self, serve: Callable[["Connection"], Awaitable[None]]) -> None:
        self.gone = asyncio.Event()
        self.reader = asyncio.StreamReader(limit=HEAD_LIMIT)
        self._serve = serve
        super().__init__(self.reader, self._connected)

    def _connected(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Any:
        self.writer = writer
        return self._serve(self)

    def eof_received(self) -> bool | None:
        self.gone.set()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        super().connection_lost(exc)

    async def receive(self) -> Received | None:
        """The next request; None = the client is done."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            arrived = time.monotonic()
            first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
            method, path, _version = first.split(" ", 2)
            fields = (line.split(":", 1) for line in lines)
            headers = {name.strip().lower(): value.strip() for name, value in fields}
            raw = await self.reader.readexactly(int(headers.get("content-length", "0")))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return Received(method, path, headers, raw, arrived)

    async def answer(self, status: int, body: Json, headers: Mapping[str, str]) -> None:
        """A whole answer."""
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        data = text.encode()
        kind = "text/plain" if isinstance(body, str) else "application/json"
        fields = {"Content-Type": kind, "Content-Length": str(len(data)), **headers}
        self.writer.write(_head(status, fields) + data)
        await self.writer.drain()

    async def open_stream(self, headers: Mapping[str, str]) -> None:
        """Status and headers of an event stream; `send` and `finish` follow."""
        fields = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked", **headers}
        self.writer.write(_head(200, fields))
        await self.writer.drain()

    async def send(self, data: bytes) -> None:
        """A piece of the event stream."""
        if data:
            self.writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await self.writer.drain()

    async def finish(self, data: bytes = b"") -> None:
        """The last of the event stream; the connection stays open for the next request."""
        self.writer.write((b"%x\r\n%s\r\n" % (len(data), data) if data else b"") + b"0\r\n\r\n")
        await self.writer.drain()

    async def pause(self, seconds: float | None) -> None:
        """Wait, None = for ever. ConnectionError as soon as the client has left."""
        if seconds != 0 and not self.gone.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.gone.wait(), seconds)
        if self.gone.is_set():
            raise ConnectionError

    def reset(self) -> None:
        """Break the connection by a TCP reset, as a killed server does."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
