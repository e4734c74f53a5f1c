"""A model of Ollama's that is loaded while a person types, as the prompt will want it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from qcode.server.base import Cold, Request, Server, Warmed
from qcode.server.client import connect
from tests.support import ollama_words
from tests.support.http1 import Json
from tests.support.llama_words import About
from tests.support.script import Body, Received, Reply
from tests.support.scripted_server import ScriptedServer

ASKED = Request("scripted-model", [{"role": "user", "content": "here"}], ())


class Unloaded(ScriptedServer):
    """An Ollama that holds no model until it is asked for one; that takes a moment."""

    seconds = 0.3
    holds = False

    async def other(self, request: Received) -> tuple[int, Json]:
        if request.path == "/api/ps" and not self.holds:
            return 200, {"models": []}
        return await super().other(request)

    async def prepare(self, reply: Reply, body: Body) -> Reply:
        await asyncio.sleep(self.seconds)
        self.holds = True
        return reply


@dataclass
class There:
    """A server and who talks to it."""

    ollama: Unloaded
    server: Server


@pytest.fixture
async def there() -> AsyncIterator[There]:
    """An Ollama that has loaded nothing."""
    loads = Reply(text="")
    with Unloaded(about=About(kind="ollama"), otherwise=lambda _: loads) as ollama:
        server = connect(ollama.base_url, "", "scripted-model")
        yield There(ollama, server)
        await server.close()


async def test_it_is_loaded_as_the_next_request_wants_it_and_once(there: There) -> None:
    facts = await there.server.facts()
    came = await there.server.warm(ASKED, "here")
    assert isinstance(came, Warmed)
    assert came.loads
    assert came.seconds >= there.ollama.seconds
    (asked,) = there.ollama.requests
    assert (asked.path, asked.body["messages"]) == (ollama_words.CHAT, [])
    async for _ in there.server.stream(ASKED):
        pass
    later = there.ollama.requests[-1]
    if facts.kind == "ollama-chat":
        for name in ("truncate", "shift"):
            assert asked.body[name] == later.body[name]
    wanted = later.body.get("options", {}).get("num_ctx")
    assert asked.body.get("options", {}).get("num_ctx") == wanted
    there.ollama.holds = False
    assert isinstance(await there.server.warm(ASKED, "here"), Cold), "it was unloaded, and stays so"


async def test_a_prompt_does_not_break_off_the_loading(there: There) -> None:
    await there.server.facts()
    task = asyncio.create_task(there.server.warm(ASKED, "here"))
    await asyncio.to_thread(there.ollama.wait_for, lambda seen: bool(seen.requests))
    task.cancel()
    await asyncio.wait((task,))
    await asyncio.sleep(there.ollama.seconds + 0.2)
    assert there.ollama.holds
    assert there.ollama.requests[0].closed_early is None


async def test_what_is_loaded_is_not_loaded_again(there: There) -> None:
    there.ollama.holds = True
    await there.server.facts()
    assert isinstance(await there.server.warm(ASKED, "here"), Cold)
    assert not there.ollama.requests
