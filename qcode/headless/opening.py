"""What is known when a run begins, and what the flags asked for."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from qcode.session.conversation import Conversation

APPROVAL_SECONDS = 600.0
"""A host that does not reply for so long has said no. `QCODE_APPROVAL_SECONDS` overrules it."""

NO_SERVERS = "qcode calls no MCP servers of its host yet."


class Opening(msgspec.Struct, frozen=True):
    """What is known when a run begins, before a server was asked anything."""

    session_id: str
    folder: str
    tools: tuple[str, ...]
    """Our names."""
    mode: str
    """Claude's word."""
    model: str = ""
    """As it was asked for; empty = whatever is loaded."""
    sandbox: Literal["on", "off"] = "on"
    """`off` = the user's own consent, given when the run began."""
    servers: tuple[str, ...] = ()
    """MCP servers of the host, by name: none of them is called."""
    unheeded: str = ""
    """A sentence about flags that were given and mean nothing here."""


class Shape(msgspec.Struct, frozen=True):
    """What the flags asked for."""

    partial: Literal["shown", "left out"] = "left out"
    """`--include-partial-messages`."""
    replay: Literal["shown", "left out"] = "left out"
    """`--replay-user-messages`."""


class StreamForm(msgspec.Struct, frozen=True):
    """What the flags asked for."""

    opening: Opening
    shape: Shape = msgspec.field(default_factory=Shape)
    output: Literal["stream-json", "json-array"] = "stream-json"
    input: Literal["text", "stream-json"] = "text"
    prompts: Literal["stdio", "nobody"] = "nobody"
    wait_seconds: float = APPROVAL_SECONDS
    last_message: Path | None = None
    """`-o FILE`: the final message of each turn goes there as well."""
    asks: Literal["ask", "deny"] = "ask"
    """`deny` = the run began with `dontAsk`."""
    talk: Conversation = msgspec.field(default_factory=Conversation)
    """As the engine keeps it: what fills the context."""
    sentence: Callable[[BaseException], str] = str
    """What is said of an error that ends the run."""
