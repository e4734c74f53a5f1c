"""What a row about a kind of server says. The rows are `quirks`'."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Continuation = Literal["", "llamacpp", "vllm", "sglang", "ollama"]
"""How an answer whose reasoning was closed is continued (`continuing.py`); empty = not at all."""

Switch = Literal["kwargs", "effort", "top", "reasoning", "request", "think", "none"]
"""How thinking is turned on and off: `chat_template_kwargs.enable_thinking`; `reasoning_effort`
(`none` = off); `enable_thinking` at the top (DashScope); `reasoning: {…}` (OpenRouter);
`enable_thinking` of the request (mlx-vlm); `think` (Ollama's own API); no way."""

Counting = Literal["", "llamacpp", "vllm", "sglang", "llama-cpp-python"]
"""Where the server counts tokens (`counting.py`); empty = nowhere."""

Warming = Literal["", "llamacpp", "load"]
"""How a prompt is read ahead of its request (`warming.py`); `load` = the model is only loaded
(`preload.py`); empty = not at all."""

Version = tuple[int, ...]
"""Comparable: `(11549,)`, `(0, 33, 0)`."""


class Quirks(msgspec.Struct, frozen=True):
    """What a client must know about one kind of server."""

    name: str = "an OpenAI-compatible server"
    """For people."""
    source: str = ""
    """Where the row was read."""
    reasoning_field: str = "reasoning_content"
    """Name under which past reasoning is sent back."""
    extra: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """Fields that each request gets unless it brings them itself."""
    health_path: str = ""
    """From the root; empty = being connected to is all that can be asked of it."""
    model_name: Literal["checked", "ignored"] = "checked"
    """Whether a name that the server does not list is refused."""
    sampling: Mapping[str, str] = msgspec.field(
        default_factory=lambda: {n: n for n in ("temperature", "top_p", "presence_penalty")}
    )
    """Our names -> the server's. What is absent is ignored or refused there: it is not sent."""
    max_tokens: str = "max_tokens"
    switch: Switch = "none"
    budget: tuple[str, ...] = ()
    """Path of the field that takes a thinking budget in tokens; empty = there is none."""
    budget_message: str = ""
    """Field for the words that end a thinking whose budget is used up; empty = there is none."""
    budget_flag: str = ""
    """What the server must be started with, or it refuses or ignores the budget; empty = none."""
    control: str = ""
    """Field that asks for a handle on the running reasoning, so that it can be ended (`client`);
    empty = there is none."""
    effort: str = ""
    """Field for a word of effort, beside the switch: for models whose text is not rendered by a
    template that `chat_template_kwargs` would reach."""
    continuation: Continuation = ""
    counting: Counting = ""
    warming: Warming = ""
    passes_calls: bool = True
    """Whether calls of the history reach a template that wants their arguments as an object; else
    they are sent as text (`written`)."""
    separates: bool = True
    """Whether reasoning has a field of its own in the answers; else it stands in the content."""
    chat_path: str = ""
    """From the root, of a chat API of its own, whose words `adapters.ollama_chat` translates: names
    with a dot stand for a field of an object; empty = OpenAI's `/chat/completions`."""
    context: str = ""
    """Field by which a request says how long a context it needs; empty = loaded is loaded."""
    hosts: tuple[str, ...] = ()
    """Patterns of host names, for services that are known by where they are."""
    since: Mapping[str, Version] = msgspec.field(default_factory=dict)
    """Our names and the row's fields -> the first version that has them; see `of`."""
