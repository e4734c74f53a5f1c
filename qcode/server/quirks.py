"""How servers differ, as data. One row a kind; a class only for what lies beyond chat completions.

Facts are of November 2026; beside each its source.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Quirks:
    """What a client must know about one kind of server."""

    reasoning_field: str = "reasoning_content"
    """Name under which past reasoning is sent back."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields that each request gets unless it brings them itself."""
    health_path: str = ""
    """From the root; empty = being connected to is all that can be asked of it."""
    model_name: Literal["checked", "ignored"] = "checked"
    """Whether a name that the server does not list is refused."""


# `include_usage`: without it a stream tells no token counts (OpenAI's API reference,
# "stream_options"; all servers of the table in the facts take it).
PLAIN = Quirks(extra={"stream_options": {"include_usage": True}})

QUIRKS: Mapping[str, Quirks] = {
    "generic": PLAIN,
    "llamacpp": replace(
        PLAIN,
        extra={
            **PLAIN.extra,
            "return_progress": True,  # tools/server/README.md at b11549
            "cache_prompt": True,  # the default, but `--no-cache-prompt` turns it off; same place
        },
        health_path="/health",  # tools/server/server-http.cpp at b11549: open without a key
        model_name="ignored",  # server-context.cpp at b11549, single mode
    ),
    # The router of llama.cpp: the same engine behind names that are checked
    # (tools/server/server-models.cpp at b11549). `/props?model=` may load a model: never asked.
    "llamacpp-router": replace(
        PLAIN, extra={**PLAIN.extra, "return_progress": True}, health_path="/health"
    ),
}
