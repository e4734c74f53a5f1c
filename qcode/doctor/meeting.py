"""An address -> a server that can be examined: met as the agent meets it, asked beside it too."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from qcode.doctor.base import Finding, Subject
from qcode.server.ask import Asker, NoAnswer
from qcode.server.base import Request, Server, ServerFacts, Told, silent
from qcode.server.client import connect
from qcode.server.door import make_http
from qcode.server.endpoint import Patience, root
from qcode.server.known import Wishes
from qcode.server.misnamed import instead
from qcode.server.quirks import QUIRKS

ANSWER_SECONDS = 10.0
"""For a question beside chat completions; a CPU that computes with all its cores is slow to it."""
LOADING_SECONDS = 600.0
"""For a model that the server says is not in memory."""
UNTOLD_SECONDS = 60.0
"""Where it does not say: it may be loading, or hang."""
PATIENCE = Patience(tries=1, busy_seconds=5.0)
"""Whoever measures does not try again in silence: a request that fails is a result."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is, as the settings have it."""

    base_url: str = ""
    """Empty = the first that answers on the known ports."""
    api_key: str = field(default="", repr=False)
    model: str = ""
    wishes: Wishes = field(default_factory=Wishes)
    """What a run asks of it, so that it is examined as it is used."""


@asynccontextmanager
async def met(address: Address, told: Told = silent) -> AsyncIterator[Subject]:
    """The server, ready to be examined; closed behind it.

    Waits while a model loads. Raises ServerGone, CredentialsRefused, UnknownModel and ConfigError.
    """
    server = _connected(address)
    try:
        facts = await server.facts(told)
        asked_for = facts.model
        if listed := instead(facts):  # met by its own name: what is told of a model goes by it
            await server.close()
            server = _connected(replace(address, model=listed))
            facts = await server.facts(told)
        http = make_http(facts.base_url, PATIENCE.connect_seconds)
        try:
            key = address.api_key if address.base_url else ""
            asker = Asker(http, key, ANSWER_SECONDS)
            subject = Subject(server, facts, asker, secrets.token_hex(4), asked_for)
            subject.props.update(await props_of(asker, facts))
            yield subject
        finally:
            await http.aclose()
    finally:
        await server.close()


def _connected(address: Address) -> Server:
    return connect(
        address.base_url, address.api_key, address.model, PATIENCE, wishes=address.wishes
    )


async def found_at(address: Address) -> tuple[str, str]:
    """Address and model of the server that would be examined. Raises as `met`."""
    async with met(address) as subject:
        return subject.facts.base_url, subject.facts.model


async def wake(subject: Subject, untold_seconds: float = UNTOLD_SECONDS) -> None:
    """Have the model in memory before the clock runs, and learn what only a loaded one tells.

    One short request, where the server does not say that it is loaded, and not waited for without
    end. Raises nothing: what is wrong the probes will meet again.
    """
    facts = subject.facts
    if facts.loaded:
        return
    limit = LOADING_SECONDS if facts.loaded is False else untold_seconds
    messages = [{"role": "user", "content": f"{subject.salt}. Say yes."}]
    with suppress(TimeoutError):
        async with asyncio.timeout(limit):
            await subject.ask(Request(facts.model, messages, [], thinking_budget=0, max_tokens=4))
    subject.facts = await subject.server.known(ANSWER_SECONDS) or facts
    subject.props.update(await props_of(subject.asker, subject.facts))


async def props_of(asker: Asker, facts: ServerFacts) -> dict[str, object]:
    """llama.cpp's `/props`; {} elsewhere, also where it would load a model (a router)."""
    if facts.kind != "llamacpp":
        return {}
    try:
        return (await asker.get(f"{root(facts.base_url)}/props")).fields
    except NoAnswer:
        return {}


def is_paid(facts: ServerFacts) -> bool:
    """Whether it is a service for money."""
    return bool(QUIRKS[facts.kind].hosts)


def misnamed(subject: Subject) -> Iterator[Finding]:
    """A note where another model answers than was asked for."""
    wanted, facts = subject.asked_for, subject.facts
    if wanted and wanted != facts.model:
        yield Finding(
            id="model.name",
            weight="note",
            title=f"The server has no model {wanted}: it answers as {facts.model}.",
            cost=f"All that is told here is of {facts.model}.",
            change="Leave the name out, or say this one: it goes unheeded by this server.",
        )
