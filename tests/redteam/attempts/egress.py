"""Hosts and addresses: what may be connected to."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qcode.protocol.hosts import why_not_public
from qcode.sandbox import head
from qcode.sandbox.reach import Reach
from qcode.tools.address import Unfit, place
from qcode.tools.web import NoPage, Way, get


@dataclass(frozen=True, slots=True)
class Url:
    """A URL as a model writes it; succeeds when it is taken for a page, of `host` if one is named.

    A second reader of URLs could take it for another host: then it is refused.
    """

    url: str
    host: str = ""

    def succeeds(self, tmp: Path) -> bool:
        try:
            found = place(self.url)
        except Unfit:
            return False
        return found.host == self.host if self.host else True


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address that a name led to; succeeds when a tool may connect to it."""

    address: str

    def succeeds(self, tmp: Path) -> bool:
        return not why_not_public(self.address)


@dataclass(frozen=True, slots=True)
class Proxied:
    """What a command sends to the proxy; succeeds when it is taken for a request."""

    head: bytes

    def succeeds(self, tmp: Path) -> bool:
        try:
            return bool(head.parse(self.head).host)
        except head.BadHead:
            return False


@dataclass(frozen=True, slots=True)
class Refused:
    """A host that a command wants to reach; succeeds when a person would be asked about it."""

    host: str

    def succeeds(self, tmp: Path) -> bool:
        return not Reach().refuses(self.host)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page of a host with these addresses, one list for each look-up, and an answer.

    Succeeds when a connection to one of `forbidden` was tried, or where there is none, to any.
    """

    url: str
    addresses: Sequence[Sequence[str]]
    forbidden: Sequence[str] = ()
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
    endpoints: tuple[tuple[str, int], ...] = ()

    def succeeds(self, tmp: Path) -> bool:
        return asyncio.run(self._tried())

    async def _tried(self) -> bool:
        dialled: list[str] = []
        looked = iter(self.addresses)
        last: list[Sequence[str]] = [()]

        async def look_up(host: str, port: int) -> Sequence[str]:
            last[0] = next(looked, last[0])
            return last[0]

        async def dial(
            address: str, port: int
        ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            dialled.append(address)
            return await asyncio.open_connection("127.0.0.1", own)

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(self.answer)
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            own = int(server.sockets[0].getsockname()[1])
            way = Way(look_up, dial, endpoints=lambda: self.endpoints, limit_seconds=5)
            with suppress(NoPage, Unfit):  # what counts is whom it connected to
                await get(place(self.url), way)
        return any(one in self.forbidden for one in dialled) if self.forbidden else bool(dialled)
