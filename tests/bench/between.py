"""Stands between qcode and a real engine: changes what is asked, notes what is answered."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.http1 import Connection
from tests.support.loopback import LoopbackServer
from tests.support.script import Received
from tests.support.scripted_server import CHAT

Refuse = Callable[[Mapping[str, Any]], str]
"""The body of a chat request -> why it is refused; empty = it goes through."""


def nothing(_: Mapping[str, Any]) -> str:
    """All goes through."""
    return ""


@dataclass
class Heard:
    """One answer of the engine, as far as it was sent before the client left."""

    data: bytearray = field(default_factory=bytearray)

    @property
    def generated(self) -> int:
        """Tokens, by the last count that the engine gave; 0 = it gave none."""
        told = 0
        for chunk in self._chunks():
            usage, timings = chunk.get("usage") or {}, chunk.get("timings") or {}
            told = usage.get("completion_tokens") or timings.get("predicted_n") or told
        return told

    @property
    def reasoning(self) -> str:
        """All of it."""
        return "".join(
            delta.get("reasoning_content") or delta.get("reasoning") or ""
            for delta in self._deltas()
        )

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(delta.get("content") or "" for delta in self._deltas())

    def _deltas(self) -> list[dict[str, Any]]:
        choices = (one for chunk in self._chunks() for one in chunk.get("choices") or ())
        return [choice.get("delta") or {} for choice in choices]

    def _chunks(self) -> list[dict[str, Any]]:
        rows = [row for row in bytes(self.data).split(b"\n") if row.startswith(b"data: {")]
        return [json.loads(row[6:]) for row in rows if row.rstrip().endswith(b"}")]


class Between(LoopbackServer):
    """Passes bytes on as they come. An engine that is slow to notice a client that has left works
    on: see its own figures."""

    def __init__(self, port: int, refuse: Refuse = nothing) -> None:
        """`port`: the engine's."""
        super().__init__()
        self.answers: list[Heard] = []
        """To chat requests that were not refused."""
        self._engine = port
        self._refuse = refuse

    async def handle(self, request: Received, connection: Connection) -> None:
        """One request on a connection of its own."""
        heard = Heard()
        if request.path == CHAT:
            if why := self._refuse(request.body):
                error = {"message": why, "type": "invalid_request_error", "code": 400}
                await connection.answer(400, {"error": error}, {})
                return
            self.answers.append(heard)
        reader, writer = await asyncio.open_connection("127.0.0.1", self._engine)
        try:
            writer.write(_head(request, self._engine) + request.raw)
            await _relay(reader, connection, heard)
        finally:
            writer.transport.abort()
        raise ConnectionError  # the end of the answer is the end of the connection


async def _relay(reader: asyncio.StreamReader, connection: Connection, heard: Heard) -> None:
    gone = asyncio.create_task(connection.gone.wait())
    try:
        while not gone.done():
            read = asyncio.create_task(reader.read(65_536))
            await asyncio.wait((read, gone), return_when=asyncio.FIRST_COMPLETED)
            if not read.done():
                read.cancel()
                return
            if not (data := read.result()):
                return
            heard.data += data
            connection.writer.write(data)
    finally:
        gone.cancel()


def _head(request: Received, port: int) -> bytes:
    kept = {
        name: value
        for name, value in request.headers.items()
        if name in ("accept", "authorization", "content-type", "content-length")
    }
    lines = [f"{request.method} {request.path} HTTP/1.1", f"host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in {**kept, "connection": "close"}.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
