"""A server by hand on asyncio streams, for what happens on the wire: silence, cuts, odd bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

Talk = Callable[[str, asyncio.StreamWriter], Awaitable[None]]
"""(first line of the request, where to write): the connection closes when it returns."""

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


@dataclass
class Raw:
    """A listening server."""

    server: asyncio.Server

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/v1"


@asynccontextmanager
async def listening(talk: Talk, port: int = 0) -> AsyncIterator[Raw]:
    """A server that has each request answered by `talk`; its connections end with it."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            await talk(head.split("\r\n", 1)[0], writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client left, or the test ends
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield Raw(server)
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def answer(writer: asyncio.StreamWriter, body: bytes, status: str = "200 OK") -> None:
    """A whole JSON answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    writer.write(head.encode() + b"\r\nConnection: close\r\n\r\n" + body)
    await writer.drain()


async def silence() -> None:
    """Until the test ends."""
    await asyncio.Event().wait()
