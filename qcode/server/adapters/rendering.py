"""History rendered by a server: which strategy holds, and under which name reasoning is read.

No model runs for it: templates and tokenizers answer by themselves.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from qcode.protocol.messages import AssistantMessage, Reasoning, Text, user
from qcode.server.ask import Asker, NoAnswer, Reply
from qcode.server.base import ServerFacts
from qcode.server.failures import read_body
from qcode.server.probe import TOOL, Render, choose
from qcode.server.shape import wire_messages

_log = logging.getLogger(__name__)

NO_RENDERING = "the server does not render"
"""Why there is no strategy, if it said so when it was asked; later it may."""

_RENDER_SECONDS = 5.0

_THOUGHT = "The answer is in the second drawer."
_TALK = (user("Where?"), AssistantMessage((Reasoning(_THOUGHT), Text("Wait."))))


class ByTemplate(msgspec.Struct, frozen=True):
    """llama.cpp's `/apply-template`."""

    asker: Asker
    url: str
    model: str

    async def render(
        self, messages: Sequence[Mapping[str, Any]], kwargs: Mapping[str, bool]
    ) -> str:
        """The prompt. Raises NoAnswer."""
        body = _chat(self.model, messages, kwargs)
        return _text(await self.asker.post(self.url, body, _RENDER_SECONDS), "prompt")


class ByTokens(msgspec.Struct, frozen=True):
    """`/tokenize` of messages, then `/detokenize`: vLLM, SGLang."""

    asker: Asker
    root: str
    model: str
    words: Mapping[str, Any]
    """Fields of the way back; SGLang leaves special tokens out unless told."""
    prompt: str
    """The field that the way back answers with."""

    async def render(
        self, messages: Sequence[Mapping[str, Any]], kwargs: Mapping[str, bool]
    ) -> str:
        """The prompt. Raises NoAnswer."""
        body = _chat(self.model, messages, kwargs)
        there = await self.asker.post(f"{self.root}/tokenize", body, _RENDER_SECONDS)
        tokens = there.fields.get("tokens")
        if there.status != 200 or not isinstance(tokens, list):
            raise _refused(there)
        way_back = {"model": self.model, "tokens": tokens, **self.words}
        back = await self.asker.post(f"{self.root}/detokenize", way_back, _RENDER_SECONDS)
        return _text(back, self.prompt)


async def rendered(render: Render, facts: ServerFacts, names: Sequence[str]) -> ServerFacts:
    """`facts` with the strategy that holds, and that of the `names` under which it does."""
    try:
        first = ""
        for name in names:
            strategy, why = await choose(render, name)
            if strategy != "plain":
                return replace(facts, strategy=strategy, strategy_why=why, reasoning_field=name)
            first = first or why
        name = await _name_shown(render, names)
        return replace(facts, strategy_why=first, reasoning_field=name)
    except NoAnswer as failed:
        _log.info("%s does not render: %s", facts.base_url, failed)
        return replace(facts, strategy_why=f"{NO_RENDERING}: {failed}")


async def _name_shown(render: Render, names: Sequence[str]) -> str:
    """The name under which reasoning comes to the prompt; where none does, the first."""
    for name in names if len(names) > 1 else ():
        # behind the last query, where every template that knows reasoning shows it
        if _THOUGHT in await render(wire_messages("", _TALK, "plain", name), {}):
            return name
    return names[0]


def _chat(
    model: str, messages: Sequence[Mapping[str, Any]], kwargs: Mapping[str, bool]
) -> Mapping[str, Any]:
    return {
        "model": model,
        "messages": messages,
        "tools": [TOOL],
        "chat_template_kwargs": kwargs,
    }


def _text(reply: Reply, field: str) -> str:
    prompt = reply.fields.get(field)
    if reply.status != 200 or not isinstance(prompt, str):
        raise _refused(reply)
    return prompt


def _refused(reply: Reply) -> NoAnswer:
    return NoAnswer(f"status {reply.status}, {read_body(reply.body).words}")
