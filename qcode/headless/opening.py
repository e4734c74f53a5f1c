"""What is known when a run begins, and what the flags asked for."""

from dataclasses import dataclass
from typing import Literal

NO_SERVERS = "qcode calls no MCP servers of its host yet."


@dataclass(frozen=True, slots=True)
class Opening:
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


@dataclass(frozen=True, slots=True)
class Shape:
    """What the flags asked for."""

    partial: Literal["shown", "left out"] = "left out"
    """`--include-partial-messages`."""
    replay: Literal["shown", "left out"] = "left out"
    """`--replay-user-messages`."""
