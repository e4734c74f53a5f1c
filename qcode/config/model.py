"""Every setting: one frozen tree. A field has a line of documentation and a person who changes it.

In `config.toml` a section is a table: `[server]`, then `base_url = "http://127.0.0.1:8080/v1"`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

ThinkingWord = Literal["off", "low", "medium", "high", "max"]
ModeWord = Literal[
    "plan",
    "ask",
    "edit",
    "auto",
    "default",
    "manual",
    "acceptEdits",
    "auto-edit",
    "dontAsk",
    "yolo",
    "bypassPermissions",
]
Sandbox = Literal["auto", "required", "off"]

Line = Annotated[str, Meta(max_length=4096, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Text without control characters."""

Text = Annotated[str, Meta(max_length=65_536)]
Rules = Annotated[tuple[Line, ...], Meta(max_length=1000)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class Server(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which endpoint answers."""

    base_url: Annotated[str, Meta(max_length=2048, pattern=r"^(https?://\S+)?$")] = ""
    """Such as `http://127.0.0.1:8080/v1`; empty = look for a local server on the known ports."""
    model: Line = ""
    """Name of the model; empty = the one that is loaded."""
    api_key_env: Annotated[str, Meta(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$", max_length=200)] = ""
    """Name of the environment variable that holds the key; the key itself never stands here."""
    context_tokens: Annotated[int, Meta(ge=0, le=100_000_000)] = 0
    """Length of the context where the server does not tell it; 0 = as the server says."""
    connect_seconds: Seconds = 5.0
    """How long to wait for a connection."""
    loading_seconds: Seconds = 600.0
    """How long to wait while the server loads its model."""


class Agent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the work is done."""

    max_steps: Annotated[int, Meta(ge=1, le=100_000)] = 200
    """Requests to the model in one turn."""
    max_tokens: Annotated[int, Meta(ge=256, le=10_000_000)] = 32_768
    """Upper bound of one answer, thinking included."""
    thinking: Annotated[int, Meta(ge=0, le=1_000_000)] | ThinkingWord = "medium"
    """Thinking budget: off, low, medium, high, max, or a number of tokens."""
    sampling: Literal["auto", "general", "coding"] = "auto"
    """Which of the published sampling presets of the model; auto = coding while thinking."""
    append_system_prompt: Text = ""
    """Words at the end of the system text."""
    verify: Line = ""
    """Command that runs after the last edit; its failures go back to the model."""
    verify_tries: Annotated[int, Meta(ge=1, le=20)] = 3
    """How often `verify` runs at most."""
    exclude: Annotated[tuple[Line, ...], Meta(max_length=1000)] = ()
    """Files that searches leave out, as gitignore patterns."""


class Permission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the agent may do without asking; see `qcode permissions modes`."""

    mode: ModeWord | Literal[""] = ""
    """Empty = ask; with -p auto where a sandbox holds, else edit."""
    allow: Rules = ()
    """Rules that allow: `Bash(git status:*)`, `Edit(src/**)`."""
    ask: Rules = ()
    """Rules that ask; they beat those that allow."""
    deny: Rules = ()
    """Rules that deny; they beat all others."""
    sandbox: Sandbox = "auto"
    """auto = the strongest fence that holds here; required = none means exit 44; off = no fence."""


class Session(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept."""

    keep_days: Annotated[int, Meta(ge=0, le=36_500)] = 0
    """Age at which `qcode sessions prune` deletes by default; 0 = its own default."""


class Log(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The log file; `qcode paths` says where it is."""

    level: Literal["debug", "info", "warning", "error"] = "warning"
    """What is written to it; --debug = debug."""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings."""

    server: Server = Server()
    agent: Agent = Agent()
    permission: Permission = Permission()
    session: Session = Session()
    log: Log = Log()


SECTIONS: dict[str, type[msgspec.Struct]] = {
    "server": Server,
    "agent": Agent,
    "permission": Permission,
    "session": Session,
    "log": Log,
}


def keys() -> tuple[str, ...]:
    """Every key with its section, in the order of the tree: `server.base_url`, …"""
    return tuple(
        f"{section}.{name}" for section, kind in SECTIONS.items() for name in kind.__struct_fields__
    )


def value_of(config: Config, key: str) -> object:
    """The value of `section.name`. Raises KeyError."""
    section, _, name = key.partition(".")
    if section not in SECTIONS or name not in SECTIONS[section].__struct_fields__:
        raise KeyError(key)
    return getattr(getattr(config, section), name)
