"""Ports of commands that the person may reach: a listener outside, sockets made inside.

The sockets come from a small process that joined the session's network (`founding.lender`); qcode
connects them itself, to the loopback in there and to nothing else.
"""

import asyncio
import errno
import socket
from collections.abc import Collection
from contextlib import suppress

from qcode.sandbox.base import NotOpened
from qcode.sandbox.founding import Helper, Network, lender
from qcode.sandbox.tunnel import between

HIGHEST = 65_535
CONNECTIONS = 128
"""For each port, at a time; others wait in the kernel."""
CONNECT_SECONDS = 10.0
IDLE_SECONDS = 3600.0
"""A page that waits for changes to be told may be silent for long."""
PAUSE_SECONDS = 0.1
PLACES = ((b"4", "127.0.0.1"), (b"6", "::1"))


class Ports:
    """Those of one session."""

    def __init__(self, closed: Collection[int]) -> None:
        """`closed`: never opened."""
        self._closed = closed
        self._open: dict[int, asyncio.Task[None]] = {}
        self._helper: Helper | None = None
        self._asking = asyncio.Lock()

    def numbers(self) -> tuple[int, ...]:
        """Those that are open."""
        return tuple(self._open)

    async def open(self, port: int, network: Network) -> int:
        """The port outside: the same. Raises NotOpened."""
        if not 0 < port <= HIGHEST:
            raise NotOpened(f"{port} is no port: they go from 1 to {HIGHEST}.")
        if port == network.port:
            raise NotOpened(f"Port {port} inside is the sandbox's own. Use another one.")
        if port in self._closed:
            raise NotOpened(f"Port {port} is the model server's own, and is never opened.")
        if port not in self._open:
            listener = _listener(port)
            task = asyncio.create_task(self._accept(listener, port, network))
            self._open[port] = task
        return port

    async def shut(self, port: int) -> None:
        """Close it, and the connections that came by it."""
        task = self._open.pop(port, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        """Close all of them."""
        for port in self.numbers():
            await self.shut(port)
        async with self._asking:
            helper, self._helper = self._helper, None
            if helper is not None:
                helper.end()

    async def _accept(self, listener: socket.socket, port: int, network: Network) -> None:
        loop, room = asyncio.get_running_loop(), asyncio.Semaphore(CONNECTIONS)
        serving: set[asyncio.Task[None]] = set()
        try:
            while True:
                await room.acquire()
                try:
                    client, _ = await loop.sock_accept(listener)
                except OSError:  # no descriptor to be had
                    room.release()
                    await asyncio.sleep(PAUSE_SECONDS)
                    continue
                task = asyncio.create_task(self._serve(client, port, network))
                serving.add(task)
                task.add_done_callback(serving.discard)
                task.add_done_callback(lambda _: room.release())
        finally:
            listener.close()
            left = tuple(serving)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _serve(self, client: socket.socket, port: int, network: Network) -> None:
        with client:
            server = await self._inside(port, network)
            if server is not None:
                with server:
                    await between(client, server, IDLE_SECONDS)

    async def _inside(self, port: int, network: Network) -> socket.socket | None:
        """Connected to what listens there; None = nothing does."""
        loop = asyncio.get_running_loop()
        for family, address in PLACES:
            with suppress(OSError):
                wire = await self._lent(family, network)
                wire.settimeout(0)
                try:
                    async with asyncio.timeout(CONNECT_SECONDS):
                        await loop.sock_connect(wire, (address, port))
                except BaseException:
                    wire.close()
                    raise
                return wire
        return None

    async def _lent(self, family: bytes, network: Network) -> socket.socket:
        """A socket inside. When cancelled the question is still taken to its end: the answer would
        be taken for that of the next one."""
        asking = asyncio.create_task(self._ask(family, network))
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            with suppress(OSError):
                (await asking).close()
            raise

    async def _ask(self, family: bytes, network: Network) -> socket.socket:
        """By another helper when something ended the first one."""
        async with self._asking:
            if self._helper is not None and self._helper.process.poll() is not None:
                self._helper.end()
                self._helper = None
            if self._helper is None:
                self._helper = lender(network)
            return await self._helper.ask(family)


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        listener.settimeout(0)
    except OSError as error:
        listener.close()
        raise NotOpened(_why_not(error, port)) from error
    return listener


def _why_not(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken on this machine. Let the server inside use another one."
    if error.errno == errno.EACCES:
        return f"Port {port} needs rights that qcode does not have. Use one above 1023."
    return f"Port {port} could not be opened: {error.strerror}."
