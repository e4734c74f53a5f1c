"""A connection to addresses that were judged before, under the name of their host.

The HTTP and its TLS stay `httpcore2`'s, which takes a network backend of one's own; the name is
still what the certificate must be of.
"""

# ruff: noqa: ASYNC109  `timeout` parameters: the library's signatures

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import httpcore2

from qcode.server.network import Stream

EACH_SECONDS = 8.0
"""For one address; the limit of the whole is the tool's."""

Dial = Callable[[str, int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class Backend(httpcore2.AsyncNetworkBackend):
    """Connects to the first of its addresses that answers, whatever host it is asked for."""

    def __init__(self, addresses: Sequence[str], dial: Dial) -> None:
        self._addresses = addresses
        self._dial = dial

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failed: OSError = OSError("it has no address")
        for address in self._addresses:
            try:
                async with asyncio.timeout(EACH_SECONDS):
                    return Stream(*await self._dial(address, port))
            except TimeoutError:
                failed = OSError("no answer")
            except OSError as error:
                failed = error
        raise httpcore2.ConnectError(failed.strerror or str(failed))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
