"""A request's wishes -> the fields of the body, in the words of one kind of server. Pure."""

from collections.abc import Mapping
from typing import Any

from qcode.server.base import Request, ServerFacts
from qcode.server.quirks import QUIRKS

SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "presence_penalty",
    "repeat_penalty",
    "penalty_window",
)
"""Our names of the sampling values. `penalty_window`: over how many tokens penalties look back."""


def fields(facts: ServerFacts, request: Request) -> dict[str, Any]:
    """All fields of the body but model, messages, tools and `stream`."""
    quirks = QUIRKS[facts.kind]
    body: dict[str, Any] = {**quirks.extra}
    for name, value in request.sampling.items():
        if name in quirks.sampling:
            body[quirks.sampling[name]] = value
    if request.max_tokens is not None:
        body[quirks.max_tokens] = request.max_tokens
    if request.thinking_budget is not None and quirks.switch == "kwargs":
        body["chat_template_kwargs"] = _kwargs(facts, request.thinking_budget)
    return {**body, **request.extra}


def _kwargs(facts: ServerFacts, budget: int) -> Mapping[str, bool]:
    """JSON booleans: llama.cpp insists."""
    kwargs = {"enable_thinking": budget > 0}
    return kwargs | {"preserve_thinking": True} if facts.strategy == "native" else kwargs
