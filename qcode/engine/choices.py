"""Servers that may answer, and what changes when another one does."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from difflib import get_close_matches
from pathlib import PurePath
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from qcode.engine.accounting import Accounting
from qcode.engine.history import History
from qcode.engine.room import Room
from qcode.protocol.errors import UnknownModel
from qcode.protocol.inputs import SetModel
from qcode.server.base import (
    Cold,
    Request,
    Server,
    ServerFacts,
    Streamed,
    Told,
    Warmed,
    silent,
)
from qcode.server.endpoint import is_private

MOST_NAMES = 20
"""Of models, in a sentence."""


class Choice(msgspec.Struct, frozen=True):
    """A server that may answer; it need not have been asked anything."""

    name: str
    """Of the profile, or what else people call it; empty = that of the settings."""
    base_url: str
    """Empty = a server of this machine that is looked for."""
    server: Server
    tune: Callable[[ServerFacts], ServerFacts]
    """Puts the settings in force that go with it; the user's own words over what it says."""
    remote: Literal["allow", "deny"] = "deny"
    """Whether qcode itself may send it the conversation beyond the local network."""

    @property
    def host(self) -> str:
        """Where a request goes."""
        return urlsplit(self.base_url).hostname or "this machine"

    @property
    def is_near(self) -> bool:
        """On this machine or the local network."""
        return not self.base_url or is_private(self.base_url)


Make = Callable[[], Choice]
"""May raise ConfigError; may take a while, since it looks for the key."""


class Plan(msgspec.Struct, frozen=True):
    """Who else may answer."""

    fallback: Make | None = None
    deeper: Make | None = None
    """For the rest of a turn in which `verify` failed `failures` times."""
    failures: int = 0
    """0 = never."""
    choose: Callable[[SetModel, Choice], Choice] | None = None
    """What a person wishes for, and who answers now."""


def check_listed(name: str, found: ServerFacts) -> None:
    """Raises UnknownModel when a person named the model, and the server lists only others."""
    path = PurePath(name).is_absolute()  # of the server's machine: no list names it
    if (
        name != found.model
        or not found.models
        or path
        or {name, f"{name}:latest"} & {*found.models}
    ):
        return
    near = get_close_matches(name, found.models, 1)
    asked = f" Did you mean {near[0]}?" if near else ""
    listed = ", ".join(found.models[:MOST_NAMES]) + (", …" if found.models[MOST_NAMES:] else "")
    raise UnknownModel(f"{found.base_url} has no model {name!r}.{asked} It lists: {listed}.")


class Switch:
    """A `Server` that passes all on to the one that answers now."""

    def __init__(self, server: Server) -> None:
        self.now = server
        self._all = [server]

    def to(self, server: Server) -> None:
        """From here on this one."""
        self.now = server
        if server not in self._all:
            self._all.append(server)

    async def facts(self, told: Told = silent) -> ServerFacts:
        """See `Server.facts`."""
        return await self.now.facts(told)

    def stream(self, request: Request) -> AsyncGenerator[Streamed, None]:
        """See `Server.stream`."""
        return self.now.stream(request)

    async def end_reasoning(self) -> bool:
        """See `Server.end_reasoning`."""
        return await self.now.end_reasoning()

    async def count(self, text: str) -> int | None:
        """See `Server.count`."""
        return await self.now.count(text)

    async def count_request(self, request: Request) -> int | None:
        """See `Server.count_request`."""
        return await self.now.count_request(request)

    async def warm(self, request: Request, mark: str, least: float = 0.0) -> Warmed | Cold:
        """See `Server.warm`."""
        return await self.now.warm(request, mark, least)

    async def keep_slot(self, slot: int, name: str) -> int:
        """See `Server.keep_slot`."""
        return await self.now.keep_slot(slot, name)

    async def restore_slot(self, name: str) -> int:
        """See `Server.restore_slot`."""
        return await self.now.restore_slot(name)

    async def fingerprint(self) -> str:
        """See `Server.fingerprint`."""
        return await self.now.fingerprint()

    async def known(self, wait_seconds: float = 0.0) -> ServerFacts | None:
        """See `Server.known`."""
        return await self.now.known(wait_seconds)

    async def close(self) -> None:
        """Close all connections to all of them."""
        await asyncio.gather(*(server.close() for server in self._all))


class Load(msgspec.Struct, frozen=True):
    """What follows when another server answers."""

    history: History
    accounting: Accounting
    room: Room

    def move(self, facts: ServerFacts) -> None:
        """To this server."""
        self.history.turn_to(facts)
        self.accounting.start_over(facts.strategy)
        self.room.context_tokens = facts.context_tokens

    def learn(self, facts: ServerFacts) -> None:
        """More of the same server: nothing starts over."""
        before, self.history.facts = self.history.facts, facts
        self.accounting.strategy = facts.strategy
        if facts.context_tokens != before.context_tokens:
            self.room.context_tokens = facts.context_tokens

    def weight(self) -> str:
        """What the next request holds, for people."""
        request = self.history.request()
        size = len(msgspec.json.encode([request.messages, request.tools]))
        tokens = f"~{self.room.expected():,} tokens ({size / 1000:,.0f} kB) of this conversation"
        return f"{tokens}, with what was read of your files,"
