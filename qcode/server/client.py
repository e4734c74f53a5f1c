"""One endpoint as the engine sees it: facts once, then one streamed answer after another.

Here is what takes time: finding the server, waiting while its model loads, trying again. One
request is `attempt`'s, what its bytes mean `reader`'s, what a failure means `failures`'.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qcode.server import detect
from qcode.server.ask import Asker, NoAnswer
from qcode.server.attempt import Line, attempt
from qcode.server.base import Request, Server, ServerFacts, Streamed, Told, silent
from qcode.server.door import Doors, make_http
from qcode.server.endpoint import PORTS, Patience, normalise
from qcode.server.failures import Broken, Loading, gone
from qcode.server.tries import QUICK_SECONDS, Tries

if TYPE_CHECKING:
    import httpx2

_log = logging.getLogger(__name__)


def connect(
    base_url: str = "",
    api_key: str = "",
    model: str = "",
    patience: Patience | None = None,
    ports: Sequence[int] = PORTS,
) -> Server:
    """A server, not yet asked anything.

    Without `base_url` the ports are tried on this machine, and the key stays at home: who listens
    there is not known. Without `model` the loaded one answers. Raises ConfigError.
    """
    named = normalise(base_url) if base_url else ""
    tried = (named,) if named else detect.addresses(ports)
    return Client(Target(tried, api_key if named else "", model), patience or Patience())


@dataclass(frozen=True, slots=True)
class Target:
    """What was asked for."""

    addresses: tuple[str, ...]
    api_key: str = field(repr=False)
    model: str = ""


class Client:
    """A `Server`: the one at the target's address, or the first that answers of several."""

    def __init__(self, target: Target, patience: Patience) -> None:
        self._target = target
        self._patience = patience
        self._facts: ServerFacts | None = None
        self._finding = asyncio.Lock()
        self._http: httpx2.AsyncClient | None = None
        self._doors: Doors | None = None

    async def facts(self, told: Told = silent) -> ServerFacts:
        """Probe once and remember; while a model loads, wait for it and say so.

        Raises ServerGone, CredentialsRefused, UnknownModel.
        """
        tries = Tries(self._patience)
        while True:
            try:
                return await self._known()
            except Loading as loading:
                told(tries.while_loading(str(loading)))
                await asyncio.sleep(self._patience.poll_seconds)

    async def stream(self, request: Request) -> AsyncGenerator[Streamed, None]:
        """Send `request` and yield what comes; see `Server.stream`."""
        tries = Tries(self._patience)
        tries.is_up = self._facts is not None  # it was seen: gone, it may be starting again
        told: Streamed
        while True:
            try:
                async with aclosing(attempt(self._line(await self._known()), request)) as items:
                    async for item in items:
                        if told_or_none := tries.back() if item is None else item:
                            yield told_or_none
                return
            except Loading as loading:
                told = tries.while_loading(str(loading))
                wait_seconds = self._patience.poll_seconds
            except Broken as broken:
                told = tries.after_break(broken)
                wait_seconds = told.wait_seconds
                _log.warning("retry %d: %s", told.attempt, told.because)
            yield told
            await asyncio.sleep(wait_seconds)

    async def end_reasoning(self) -> bool:
        """See `Server.end_reasoning`."""
        return False

    async def count(self, text: str) -> int | None:
        """See `Server.count`."""
        return None

    async def close(self) -> None:
        """Close all connections."""
        http, self._http, self._doors = self._http, None, None
        if http is not None:
            await http.aclose()

    async def _known(self) -> ServerFacts:
        """The facts, found if they are not yet. Raises Loading and what `facts` raises."""
        async with self._finding:
            if self._facts is None:
                self._facts = await self._find()
                _log.info("found %s", self._facts)
        return self._facts

    async def _find(self) -> ServerFacts:
        try:
            return await self._look()
        except NoAnswer:  # a server that was just started may take a moment to listen
            await asyncio.sleep(QUICK_SECONDS)
        try:
            return await self._look()
        except NoAnswer as nothing:
            raise gone(self._target.addresses, str(nothing)) from nothing

    async def _look(self) -> ServerFacts:
        tried, name = self._target.addresses, self._target.model
        if len(tried) == 1:
            return await detect.find(self._asker(self._patience.connect_seconds), tried[0], name)
        return await detect.search(self._asker(self._patience.probe_seconds), tried, name)

    def _line(self, facts: ServerFacts) -> Line:
        if self._doors is None:
            self._doors = Doors(self._open(), facts.base_url, self._target.api_key)
        asker = self._asker(self._patience.probe_seconds)
        return Line(facts, self._doors.pick(), asker, self._patience.silence_seconds)

    def _asker(self, limit_seconds: float) -> Asker:
        return Asker(self._open(), self._target.api_key, limit_seconds)

    def _open(self) -> "httpx2.AsyncClient":
        if self._http is None:
            address = self._target.addresses[0]  # several: all are on this machine
            self._http = make_http(address, self._patience.connect_seconds)
        return self._http
