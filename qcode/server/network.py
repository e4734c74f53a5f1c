"""The connection to a local server, on asyncio alone; the HTTP stays `httpcore2`'s.

`httpcore2` takes a network backend of one's own, and `httpx2` a transport: both are documented
extension points. Its own backend goes through anyio. A model that writes 200 tokens a second makes
200 reads a second, and 1,000 of them cost 0.27 s of CPU that way, 0.21 s this way, and 0.16 s where
a long trickle is read in gulps (2026-11-21, two busy cores, the reading of the events included).
"""

# ruff: noqa: ASYNC109  `timeout` parameters: the library's signatures

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpcore2
import httpx2

_GULP_SECONDS = 0.01
"""Between two reads of a trickle: two or three tokens come in one."""
_TRICKLE_READS = 64
"""So many small reads in a row are a trickle. It puts off the end of an answer too, by half a gulp:
after so many tokens that is less than 2 % of its time."""
_SMALL_BYTES = 8 << 10
_MOST_ERROR_BYTES = 1 << 20


class Stream(httpcore2.AsyncNetworkStream):
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._small_reads = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _told_as(httpcore2.ReadError, httpcore2.ReadTimeout):
            async with asyncio.timeout(timeout):
                if self._small_reads > _TRICKLE_READS:
                    await self._gather()
                data = await self._reader.read(max_bytes)
        self._small_reads = self._small_reads + 1 if len(data) < _SMALL_BYTES else 0
        return data

    async def _gather(self) -> None:
        """Let the system hold what comes meanwhile: nothing is woken for it."""
        transport = self._writer.transport
        if not isinstance(transport, asyncio.Transport):
            return
        transport.pause_reading()
        try:
            await asyncio.sleep(_GULP_SECONDS)
        finally:
            transport.resume_reading()

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._small_reads = 0
        with _told_as(httpcore2.WriteError, httpcore2.WriteTimeout):
            async with asyncio.timeout(timeout):
                self._writer.write(buffer)
                await self._writer.drain()

    async def aclose(self) -> None:
        self._writer.transport.abort()  # no farewell of TLS: the other end may never answer it
        with suppress(OSError):
            await self._writer.wait_closed()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        with _told_as(httpcore2.ConnectError, httpcore2.ConnectTimeout):
            async with asyncio.timeout(timeout):
                await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # asked of an idle connection: whether the server has left
            return self._reader.at_eof() or self._writer.is_closing()
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._writer.get_extra_info(names.get(info, info))


class Backend(httpcore2.AsyncNetworkBackend):
    """Makes the connections."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        local = (local_address, 0) if local_address else None
        with _told_as(httpcore2.ConnectError, httpcore2.ConnectTimeout):
            async with asyncio.timeout(timeout):
                reader, writer = await asyncio.open_connection(
                    host, port, local_addr=local, happy_eyeballs_delay=0.25
                )
        for option in socket_options or ():
            writer.get_extra_info("socket").setsockopt(*option)
        return Stream(reader, writer)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Transport(httpx2.AsyncBaseTransport):
    """`httpx2`'s way to a pool of such connections."""

    def __init__(self, pool: httpcore2.AsyncConnectionPool) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        asked = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _told_by_httpx():
            answer = await self._pool.handle_async_request(asked)
        return httpx2.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _told_by_httpx():
            assert isinstance(self._answer.stream, AsyncIterable)
            async for piece in self._answer.stream:
                yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()


class _Bounded(httpx2.AsyncByteStream):
    """A body, cut where no honest one ends."""

    def __init__(self, body: httpx2.AsyncByteStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._body:
            yield piece
            size += len(piece)
            if size > _MOST_ERROR_BYTES:
                return

    async def aclose(self) -> None:
        await self._body.aclose()


async def bound(response: httpx2.Response) -> None:
    """A hook: no refusal has a body without an end. `openai` reads all of it before it tells, and
    unpacks it: none is to be packed, and a small packet can hold a gigabyte."""
    if response.status_code != 200 and isinstance(response.stream, httpx2.AsyncByteStream):
        response.headers.pop("content-encoding", None)
        response.stream = _Bounded(response.stream)


@contextmanager
def _told_as(failure: type[Exception], late: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except (OSError, ssl.SSLError, RuntimeError) as error:  # RuntimeError: closed meanwhile
        raise failure(_words(error)) from error


def _words(error: Exception) -> str:
    """The system's, where there is one error: asyncio says "Connect call failed" to all of them."""
    if isinstance(error, ssl.SSLError | socket.gaierror) or not isinstance(error, OSError):
        return str(error)
    return os.strerror(error.errno) if error.errno else str(error)


@contextmanager
def _told_by_httpx() -> Iterator[None]:
    """The errors of `httpcore2` as those of `httpx2`: they have the same names."""
    try:
        yield
    except (
        httpcore2.TimeoutException,
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.UnsupportedProtocol,
    ) as error:
        kind = getattr(httpx2, type(error).__name__, httpx2.TransportError)
        raise kind(str(error)) from error
