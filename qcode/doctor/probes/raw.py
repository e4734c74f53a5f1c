"""llama.cpp's `/completion`: tokens in, tokens out, no template between.

What holds here holds of the engine; what holds of chats only is the template's doing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from qcode.doctor.base import Subject
from qcode.server.ask import NoAnswer
from qcode.server.endpoint import root
from qcode.server.sounding import filler

KINDS = ("llamacpp", "llamacpp-router")
_LIMIT_SECONDS = 60.0


class Completed(msgspec.Struct, frozen=True):
    """What one completion showed."""

    cached: int
    read: int
    """Tokens of the prompt that were read, not remembered."""
    tokens: tuple[int, ...]
    """What was generated."""


class Raw(msgspec.Struct, frozen=True):
    """The engine behind a subject. Its methods raise NoAnswer."""

    subject: Subject

    async def prompt(self, tokens: int, name: str) -> tuple[int, ...]:
        """About so many tokens, unlike any that another name gives."""
        text = filler(tokens, f"{self.subject.salt} {name}")
        body = {"content": f"{self.subject.salt} {name}\n{text}", "add_special": False}
        found = (await self._post("/tokenize", body)).get("tokens")
        if not isinstance(found, list) or not found:
            raise NoAnswer("it does not tokenise")
        return tuple(found[:tokens])

    async def complete(
        self, prompt: Sequence[int], fields: Mapping[str, object], generate: int = 4
    ) -> Completed:
        """Read `prompt` and go on for a few tokens; `cache_prompt` only if it is among `fields`."""
        body = {"prompt": list(prompt), "n_predict": generate, "return_tokens": True, **fields}
        told = await self._post("/completion", body)
        timings, tokens = told.get("timings"), told.get("tokens")
        if not isinstance(timings, dict) or not isinstance(tokens, list):
            raise NoAnswer("it tells no timings")
        return Completed(
            int(timings.get("cache_n", 0)), int(timings.get("prompt_n", 0)), tuple(tokens)
        )

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        facts = self.subject.facts
        url = f"{root(facts.base_url)}{path}"
        reply = await self.subject.asker.post(url, {"model": facts.model, **body}, _LIMIT_SECONDS)
        if reply.status != 200:
            raise NoAnswer(f"status {reply.status}")
        return reply.fields


async def is_busy(subject: Subject) -> bool:
    """Whether a slot computes for somebody else; False too where that is not told."""
    if subject.facts.kind != "llamacpp":
        return False
    try:
        reply = await subject.asker.get(f"{root(subject.facts.base_url)}/slots")
    except NoAnswer:
        return False
    rows = reply.json
    busy = [isinstance(row, dict) and row.get("is_processing") is True for row in rows or ()]
    return reply.status == 200 and isinstance(rows, list) and any(busy)
