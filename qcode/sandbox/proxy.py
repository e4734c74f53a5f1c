"""The way out of a fence: an HTTP proxy on a listener that stands inside, run by qcode outside.

`CONNECT host:port` makes a tunnel; `GET http://host/…` and its like are sent on. The host is judged
by its grammar, then by the gate, and each address that it has then; see `reach`. Everything that a
command can do to it is bounded: connections, lines, time, memory.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable
from contextlib import suppress

import msgspec

from qcode.sandbox.head import BadHead, Wanted, parse, spelled
from qcode.sandbox.questions import Questions
from qcode.sandbox.reach import NotReached, Reach
from qcode.sandbox.tunnel import between, is_gone

HEAD_BYTES = 16_384
CONNECTIONS = 64
"""At a time; others wait in the kernel."""
LOOK_SECONDS = 0.25
"""While a person is asked: how often it is looked whether the command still waits."""
LAST_SECONDS = 1.0
"""How long a refused client gets to read why."""
PAUSE_SECONDS = 0.1

_log = logging.getLogger(__name__)


class Limits(msgspec.Struct, frozen=True):
    """How long a connection may take."""

    head_seconds: float = 10.0
    idle_seconds: float = 900.0


class _Gone(Exception):
    """The command does not wait any more."""


class Proxy:
    """Runs from its making on, in the loop that runs then."""

    def __init__(
        self, listener: socket.socket, questions: Questions, reach: Reach, limits: Limits
    ) -> None:
        """`listener` stays the caller's."""
        listener.settimeout(0)
        self._listener = listener
        self._questions = questions
        self._reach = reach
        self._limits = limits
        self._room = asyncio.Semaphore(CONNECTIONS)
        self._serving: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.create_task(self._accept())

    async def close(self) -> None:
        """End all connections."""
        self._accepting.cancel()
        await asyncio.gather(self._accepting, return_exceptions=True)
        tasks = tuple(self._serving)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._room.acquire()
            try:
                client, _ = await loop.sock_accept(self._listener)
            except OSError:  # no descriptor to be had
                self._room.release()
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            task = asyncio.create_task(self._serve(client))
            self._serving.add(task)
            task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[None]) -> None:
        self._serving.discard(task)
        self._room.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("A connection of a command was cut off.", exc_info=error)

    async def _serve(self, client: socket.socket) -> None:
        with client, suppress(_Gone, OSError):
            try:
                head, early = await self._head(client)
                wanted = parse(head)
                server = await self._allowed(client, wanted)
            except BadHead as error:
                await _answer(client, "400 Bad Request", str(error))
            except NotReached as error:
                await _answer(client, error.status, str(error))
            else:
                with server:
                    await self._join(client, server, wanted, early)

    async def _head(self, client: socket.socket) -> tuple[bytes, bytes]:
        """The head, and what came behind it."""
        loop, read = asyncio.get_running_loop(), bytearray()
        try:
            async with asyncio.timeout(self._limits.head_seconds):
                while (end := read.find(b"\r\n\r\n")) < 0:
                    if len(read) >= HEAD_BYTES:
                        raise BadHead(f"The request is longer than {HEAD_BYTES} bytes.")
                    data = await loop.sock_recv(client, HEAD_BYTES - len(read))
                    if not data:
                        raise _Gone
                    read += data
                    await asyncio.sleep(0)
        except TimeoutError:
            raise NotReached("408 Request Timeout", "The request did not come in time.") from None
        return bytes(read[: end + 4]), bytes(read[end + 4 :])

    async def _allowed(self, client: socket.socket, wanted: Wanted) -> socket.socket:
        """A connection to what is wanted. Raises NotReached."""
        host, port = wanted.host, wanted.port
        try:
            why = self._reach.refuses(host)
            why = why or await _unless_gone(client, self._questions.ask(host, port))
            if why:
                raise NotReached("403 Forbidden", f"was refused: {why}")
            return await self._reach.connect(host, port)
        except NotReached as error:
            sentence = f"{spelled(host, port)} {error.clause}."
            self._questions.note(sentence)
            raise NotReached(error.status, sentence) from error

    async def _join(
        self, client: socket.socket, server: socket.socket, wanted: Wanted, early: bytes
    ) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._limits.idle_seconds):
            if not wanted.first:
                await loop.sock_sendall(client, b"HTTP/1.1 200 Connection established\r\n\r\n")
            await loop.sock_sendall(server, wanted.first + early)
        await between(client, server, self._limits.idle_seconds)


async def _unless_gone(client: socket.socket, asking: Awaitable[str]) -> str:
    """What is answered. Raises _Gone, and asks no more, when the client has left."""
    task = asyncio.ensure_future(asking)
    try:
        while not (await asyncio.wait((task,), timeout=LOOK_SECONDS))[0]:
            if is_gone(client):
                raise _Gone
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _answer(client: socket.socket, status: str, sentence: str) -> None:
    """Why not. The rest of what was sent is read away, or the kernel would drop the answer."""
    loop, body = asyncio.get_running_loop(), f"{sentence}\n".encode("utf-8", "replace")
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_SECONDS):
            await loop.sock_sendall(client, head.encode() + body)
            client.shutdown(socket.SHUT_WR)
            while data := await loop.sock_recv(client, HEAD_BYTES):
                del data
                await asyncio.sleep(0)  # for what has come already, `sock_recv` does not give way
