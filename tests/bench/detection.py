"""How long it takes to find out what runs here: with every known port closed, with one server."""

import asyncio
import socket
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, suppress

from qcode.protocol.errors import ServerGone
from qcode.server.client import connect
from tests.bench.figure import Figure
from tests.bench.ground import REPEATS, Ground
from tests.server.replay import load, replayed

_PORTS = 6
"""As many as are known."""


def detection(_: Ground) -> Iterator[Figure]:
    """Within a process that has loaded what it needs: start-up has rows of its own."""
    closed = _median(lambda: _nobody(_closed()))
    yield Figure("find a server, all ports closed", closed, "s", under=0.3, digits=3)
    with replayed(load("llamacpp")) as wire:
        ports = (*_closed()[1:], wire.port)
        one = _median(lambda: _somebody(ports))
    yield Figure("the same, llama.cpp on one of them", one, "s", under=1.0, digits=3)
    with replayed(load("ollama")) as wire:
        ports = (*_closed()[1:], wire.port)
        other = _median(lambda: _somebody(ports))
    yield Figure("the same, Ollama", other, "s", under=1.0, digits=3)


def _closed() -> tuple[int, ...]:
    """Ports at which nobody listens: the system has just given them out and taken them back."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(_PORTS)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return tuple(one.getsockname()[1] for one in sockets)


def _median(look: Callable[[], Awaitable[None]]) -> float:
    def timed() -> float:
        began = time.perf_counter()
        asyncio.run(_awaited(look))
        return time.perf_counter() - began

    timed()  # imports
    return statistics.median(timed() for _ in range(REPEATS))


async def _awaited(look: Callable[[], Awaitable[None]]) -> None:
    await look()


async def _nobody(ports: tuple[int, ...]) -> None:
    server = connect(ports=ports)
    with suppress(ServerGone):
        await server.facts()
        raise AssertionError("a closed port answered")
    await server.close()


async def _somebody(ports: tuple[int, ...]) -> None:
    server = connect(ports=ports)
    await server.facts()
    await server.close()
