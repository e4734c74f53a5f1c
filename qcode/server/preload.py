"""A model loaded ahead of the first prompt, where reading ahead does not work but loading does.

Ollama loads a model for a chat without messages (docs/api.md, "Load a model"), and keeps it as for
any other request. The request must ask for what the next one asks for: another `num_ctx`, and it
would be loaded anew. Who breaks it off unloads the model (server/sched.go), so nobody does.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from qcode.server.adapters import ollama_chat
from qcode.server.ask import Asker, NoAnswer
from qcode.server.base import Cold, Request, ServerFacts, Warmed
from qcode.server.continuing import body
from qcode.server.endpoint import root
from qcode.server.liveness import doing
from qcode.server.quirks import QUIRKS

_LOAD_SECONDS = 600.0
_ALIKE = ("model", "options", "truncate", "shift")
"""The fields that decide what is loaded."""


class Preload:
    """Loads the model of one client, at most once: what was unloaded since was to be."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    async def load(self, asker: Asker, facts: ServerFacts, request: Request) -> Warmed | Cold:
        """Wait until it is in memory. Cancelled, it goes on loading."""
        if self._task is not None:
            return Cold("it was loaded ahead once")
        if await doing(asker, facts) != "loading":
            return Cold("the model is in memory")
        began = time.monotonic()
        self._task = asyncio.create_task(_load(asker, facts, request))
        try:
            await asyncio.shield(self._task)
        except NoAnswer as failed:
            return Cold(str(failed))
        return Warmed(0, 0, time.monotonic() - began, None, loads=True)

    async def close(self) -> None:
        """Nobody will ask for it any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))


async def _load(asker: Asker, facts: ServerFacts, request: Request) -> None:
    """Raises NoAnswer."""
    url = f"{root(facts.base_url)}/api/chat"
    reply = await asker.post(url, _asked(facts, request), _LOAD_SECONDS)
    if reply.status != 200:
        raise NoAnswer(f"it does not load: status {reply.status}")


def _asked(facts: ServerFacts, request: Request) -> Mapping[str, Any]:
    alike: Mapping[str, Any] = {"model": request.model or facts.model}
    if QUIRKS[facts.kind].chat_path:
        whole = ollama_chat.body(body(facts, request))
        alike = {name: whole[name] for name in _ALIKE if name in whole}
    return {**alike, "messages": [], "stream": False}
