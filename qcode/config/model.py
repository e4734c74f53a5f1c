"""Every setting: one frozen tree. A field has a line of documentation and a person who changes it.

In `config.toml` a section is a table: `[server]`, then `base_url = "http://127.0.0.1:8080/v1"`.
Two sections hold tables of any name: `[profiles.deep]` and `[models."qwen3.6"]`.
"""

import re
from collections.abc import Iterator
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
SandboxWord = Literal["auto", "required", "off"]

Line = Annotated[str, Meta(max_length=4096, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Text without control characters."""

Text = Annotated[str, Meta(max_length=65_536)]
Rules = Annotated[tuple[Line, ...], Meta(max_length=1000)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Url = Annotated[str, Meta(max_length=2048, pattern=r"^(https?://\S+)?$")]
Variable = Annotated[str, Meta(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$", max_length=200)]
Tokens = Annotated[int, Meta(ge=0, le=100_000_000)]
AnswerTokens = Annotated[int, Meta(ge=256, le=10_000_000)]
Thinking = Annotated[int, Meta(ge=0, le=1_000_000)] | ThinkingWord
Preset = Literal["auto", "general", "coding", "reasoning"]


class Server(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which endpoint answers."""

    base_url: Url = ""
    """Such as `http://127.0.0.1:8080/v1`; empty = look for a local server on the known ports."""
    model: Line = ""
    """Name of a profile or of a model; empty = the model that is loaded."""
    api_key_env: Variable = ""
    """Name of the environment variable that holds the key; the key itself never stands here."""
    context_tokens: Tokens = 0
    """Length of the context where the server does not tell it, and what an Ollama is asked for;
    0 = as the server says."""
    history: Literal["auto", "native", "fold", "plain"] = "auto"
    """How old reasoning is sent again; auto = in the way that was seen to keep the cache."""
    connect_seconds: Seconds = 5.0
    """How long to wait for a connection."""
    loading_seconds: Seconds = 600.0
    """How long to wait while the server loads its model."""


class Agent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the work is done."""

    max_steps: Annotated[int, Meta(ge=1, le=100_000)] = 200
    """Requests to the model in one turn."""
    max_tokens: AnswerTokens = 32_768
    """Upper bound of one answer, thinking included."""
    thinking: Thinking = "medium"
    """Thinking budget: off, low, medium, high, max, or a number of tokens."""
    sampling: Preset = "auto"
    """The work, for which the model's maker publishes sampling values; auto = coding."""
    append_system_prompt: Text = ""
    """Words at the end of the system text."""
    verify: Line = ""
    """Command that runs after the last edit; its failures go back to the model."""
    verify_tries: Annotated[int, Meta(ge=1, le=20)] = 3
    """How often `verify` runs at most."""
    exclude: Annotated[tuple[Line, ...], Meta(max_length=1000)] = ()
    """Files that searches leave out, as gitignore patterns."""
    unattended: Literal["on", "off"] = "off"
    """on = nobody watches: wait for a server that went away, as long as it takes."""
    offline: Literal["on", "off"] = "off"
    """on = connect to the endpoints of these settings and to nothing else; no `fetch`, and no
    network for commands inside the fence."""
    loops: Literal["break", "off"] = "break"
    """What to do about a model that repeats itself; off = let it."""
    warm: Literal["on", "off"] = "on"
    """on = a local server reads ahead what the next request begins with, and keeps a session for
    the next start, where it is known to; never with -p, and never where it may cost money."""
    compaction: Literal["auto", "off"] = "auto"
    """auto = make room when the next request would not fit; off = stop there."""
    fallback: Line = ""
    """Profile that answers when the server is gone; empty = none."""
    escalate_to: Line = ""
    """Profile that answers for the rest of a turn in which `verify` failed too often."""
    escalate_after: Annotated[int, Meta(ge=0, le=20)] = 0
    """So many failures are too often; 0 = never."""


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
    sandbox: SandboxWord = "auto"
    """auto = the strongest fence that holds here; required = none means exit 44; off = no fence."""


class Sandbox(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fence around commands; see `qcode sandbox check`."""

    outside: Rules = ()
    """Commands that run outside of the fence, such as `Bash(docker:*)`: each part of a line must
    be covered. They are asked about as if there were no fence."""
    accept_landlock: Literal["yes", "no"] = "no"
    """yes = Landlock with seccomp counts as a fence where there is no better one; what it cannot
    prevent is found out afterwards and undone."""
    memory_megabytes: Annotated[int, Meta(ge=0, le=100_000_000)] = 0
    """Resident memory of a command and all it starts; 0 = most of what the machine has."""
    processes: Annotated[int, Meta(ge=16, le=1_000_000)] = 8_192
    """Processes and threads of a command."""


class Session(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept."""

    keep_days: Annotated[int, Meta(ge=0, le=36_500)] = 0
    """Age at which `qcode sessions prune` deletes by default; 0 = its own default."""


class Log(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The log file; `qcode paths` says where it is."""

    level: Literal["debug", "info", "warning", "error"] = "warning"
    """What is written to it; --debug = debug."""


class Serve(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that qcode serves itself: `qcode serve`, `qcode --gguf`."""

    binary: Line = ""
    """A llama-server; empty = the one on the PATH, else the package xllamacpp."""
    idle_minutes: Annotated[float, Meta(ge=0, le=100_000)] = 10.0
    """How long it stays after the last qcode that used it has ended."""
    sleep_minutes: Annotated[float, Meta(ge=0, le=100_000)] = 60.0
    """With a qcode open and nothing asked for so long, the model leaves the memory; the next prompt
    loads it, and the conversation comes back from the disk. 0 = it stays."""
    context_tokens: Tokens = 0
    """Context of a conversation; 0 = as much as fits and serves."""
    flags: Rules = ()
    """Flags of llama-server beside the planned ones, or in their place: `"--threads 4"`, or
    `"--threads", "4"`."""


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another server, model or way of working, by name. None = as it is without the profile.

    A profile with a `base_url` is another server: of `[server]` only the seconds hold for it.
    """

    base_url: Url | None = None
    model: Line | None = None
    api_key_env: Variable | None = None
    context_tokens: Tokens | None = None
    thinking: Thinking | None = None
    sampling: Preset | None = None
    mode: ModeWord | None = None
    """Holds when the run starts with the profile, not when qcode changes to it."""
    remote: Literal["allow", "deny"] | None = None
    """allow = qcode may change to it by itself although it is not on your own network."""


class ModelValues(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What you want of models whose name fits a pattern. None = as the maker recommends."""

    temperature: Annotated[float, Meta(ge=0, le=5)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    min_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    max_tokens: AnswerTokens | None = None
    thinking: Thinking | None = None
    context_tokens: Tokens | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings."""

    server: Server = Server()
    agent: Agent = Agent()
    permission: Permission = Permission()
    sandbox: Sandbox = Sandbox()
    session: Session = Session()
    log: Log = Log()
    serve: Serve = Serve()
    profiles: dict[str, Profile] = {}
    """By name; see `profiles`."""
    models: dict[str, ModelValues] = {}
    """By pattern of the model's name; see `profiles`."""


SECTIONS: dict[str, type[msgspec.Struct]] = {
    "server": Server,
    "agent": Agent,
    "permission": Permission,
    "sandbox": Sandbox,
    "session": Session,
    "log": Log,
    "serve": Serve,
}

TABLES: dict[str, type[msgspec.Struct]] = {"profiles": Profile, "models": ModelValues}
"""Sections of tables, each of any name."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def keys(config: Config | None = None) -> tuple[str, ...]:
    """Every key with its section, in the order of the tree: `server.base_url`, …

    With `config` also those of its profiles and models that are set: `profiles.deep.model`.
    """
    plain = [f"{name}.{key}" for name, kind in SECTIONS.items() for key in kind.__struct_fields__]
    return (*plain, *(_table_keys(config) if config else ()))


def _table_keys(config: Config) -> Iterator[str]:
    for section in TABLES:
        for name, table in getattr(config, section).items():
            for field in table.__struct_fields__:
                if getattr(table, field) is not None:
                    yield f"{section}.{name}.{field}"


def parted(key: str) -> tuple[str, str, str]:
    """`profiles.deep.model` -> (`profiles`, `deep`, `model`); `server.model` has no middle.

    The middle may have dots of its own: `models.qwen3.6.top_k`.
    """
    section, _, rest = key.partition(".")
    name, _, field = rest.rpartition(".") if section in TABLES else ("", "", rest)
    return section, name, field


def spelled(key: str) -> str:
    """`key` as TOML spells it: `models."qwen3.6".top_k`."""
    section, name, field = parted(key)
    if not name:
        return key
    quoted = name if _BARE.fullmatch(name) else f'"{name}"'
    return f"{section}.{quoted}.{field}"


def value_of(config: Config, key: str) -> object:
    """The value of `section.name`, or of a field of a table. Raises KeyError."""
    section, name, field = parted(key)
    kinds = TABLES if name else SECTIONS
    if section not in kinds or field not in kinds[section].__struct_fields__:
        raise KeyError(key)
    holder = getattr(config, section)
    return getattr(holder[name] if name else holder, field)
