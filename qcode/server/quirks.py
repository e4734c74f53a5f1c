"""How servers differ, as data. One row a kind; a class only for what lies beyond chat completions.

Facts are of November 2026; beside each its source.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Continuation = Literal["", "llamacpp", "vllm", "sglang", "ollama"]
"""How an answer whose reasoning was closed is continued (`continuing.py`); empty = not at all."""

Switch = Literal["kwargs", "effort", "top", "reasoning", "request", "none"]
"""How thinking is turned on and off: `chat_template_kwargs.enable_thinking`; `reasoning_effort`
(`none` = off); `enable_thinking` at the top (DashScope); `reasoning: {…}` (OpenRouter);
`enable_thinking` of the request (mlx-vlm); no way."""

Counting = Literal["", "llamacpp", "vllm", "sglang", "llama-cpp-python"]
"""Where the server counts tokens (`counting.py`); empty = nowhere."""

ALL_SAMPLING: Mapping[str, str] = {
    name: name for name in ("temperature", "top_p", "top_k", "min_p", "presence_penalty")
}


@dataclass(frozen=True, slots=True)
class Quirks:
    """What a client must know about one kind of server."""

    name: str = "an OpenAI-compatible server"
    """For people."""
    source: str = ""
    """Where the row was read."""
    reasoning_field: str = "reasoning_content"
    """Name under which past reasoning is sent back."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields that each request gets unless it brings them itself."""
    health_path: str = ""
    """From the root; empty = being connected to is all that can be asked of it."""
    model_name: Literal["checked", "ignored"] = "checked"
    """Whether a name that the server does not list is refused."""
    sampling: Mapping[str, str] = field(
        default_factory=lambda: {n: n for n in ("temperature", "top_p", "presence_penalty")}
    )
    """Our names -> the server's. What is absent is ignored or refused there: it is not sent."""
    max_tokens: str = "max_tokens"
    switch: Switch = "none"
    budget: tuple[str, ...] = ()
    """Path of the field that takes a thinking budget in tokens; empty = there is none."""
    continuation: Continuation = ""
    counting: Counting = ""


# `include_usage`: without it a stream tells no token counts (OpenAI's API reference,
# "stream_options"; all servers of the table in the facts take it).
# Sampling: what OpenAI's own API has, since some servers refuse a request with any other field
# (transformers serve 5.23: 422).
PLAIN = Quirks(extra={"stream_options": {"include_usage": True}})

_LLAMACPP = replace(
    PLAIN,
    name="llama.cpp",
    source="tools/server at b11549",
    extra={**PLAIN.extra, "return_progress": True},
    health_path="/health",  # server-http.cpp: open without a key
    sampling={
        **ALL_SAMPLING,
        "repeat_penalty": "repeat_penalty",
        "penalty_window": "repeat_last_n",  # the penalties look at 64 tokens unless told more
    },
    switch="kwargs",
    budget=("thinking_budget_tokens",),
    continuation="llamacpp",
    counting="llamacpp",
)

QUIRKS: Mapping[str, Quirks] = {
    "generic": PLAIN,
    "llamacpp": replace(
        _LLAMACPP,
        # the default, but `--no-cache-prompt` turns it off (tools/server/README.md)
        extra={**_LLAMACPP.extra, "cache_prompt": True},
        model_name="ignored",  # server-context.cpp, single mode
    ),
    # The router of llama.cpp: the same engine behind names that are checked
    # (tools/server/server-models.cpp). `/props?model=` may load a model: never asked.
    "llamacpp-router": _LLAMACPP,
}
