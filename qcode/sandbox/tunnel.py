"""Bytes between two sockets, both ways, until both ends are told or nothing moves any more.

Memory stays flat: what one side does not take is not read from the other.
"""

import asyncio
import socket
from contextlib import suppress

CHUNK_BYTES = 65_536
ENDING_SECONDS = 120.0
"""How long one way may stay silent when the other one has ended."""


async def between(one: socket.socket, other: socket.socket, idle_seconds: float) -> None:
    """Closes neither. What goes wrong with one side ends both."""
    loop = asyncio.get_running_loop()
    ways = 2

    def moved() -> None:
        seconds = idle_seconds if ways == 2 else min(idle_seconds, ENDING_SECONDS)
        if not limit.expired():
            limit.reschedule(loop.time() + seconds)

    async def way(source: socket.socket, target: socket.socket) -> None:
        nonlocal ways
        while data := await loop.sock_recv(source, CHUNK_BYTES):
            await loop.sock_sendall(target, data)
            moved()
            await asyncio.sleep(0)  # where both sides are fast, neither call gives way to others
        target.shutdown(socket.SHUT_WR)
        ways -= 1
        moved()

    with suppress(TimeoutError, ConnectionError, OSError):
        async with asyncio.timeout(idle_seconds) as limit:
            tasks = [asyncio.ensure_future(it) for it in (way(one, other), way(other, one))]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


def is_gone(wire: socket.socket) -> bool:
    """Whether the other end has closed. One that only ended its own words counts as gone, too:
    the kernel does not tell them apart."""
    with suppress(OSError):
        if state := getattr(socket, "TCP_INFO", 0):
            return wire.getsockopt(socket.IPPROTO_TCP, state, 1)[0] != 1  # TCP_ESTABLISHED
        return not wire.recv(1, socket.MSG_PEEK)
    return False
