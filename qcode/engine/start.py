"""What a run is started with: from flags to `assemble`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from qcode.engine.limits import Limits
from qcode.engine.prompt import system_text
from qcode.engine.say import Say
from qcode.permission.rules import Rule
from qcode.protocol.errors import InputError
from qcode.protocol.events import Notice
from qcode.protocol.messages import ToolSpec
from qcode.sandbox.passing import passing, sweep
from qcode.session.conversation import Conversation
from qcode.session.log import Log
from qcode.tools.base import Tool
from qcode.tools.builtin import Web, usable
from qcode.tools.schema import spec
from qcode.tools.structured import Wanted, tool_for


class Start(msgspec.Struct, frozen=True):
    """What a run is started with, beside the configuration."""

    folder: Path
    add_dirs: tuple[Path, ...] = ()
    own: tuple[Path, ...] = ()
    """Folders in which qcode keeps its own things: closed to the model's tools, as keys are."""
    log: Log | None = None
    """None = no session is kept."""
    state: Path | None = None
    """Where it is kept what was found out about this machine; None = nowhere."""
    slots: Path | None = None
    """The file in which it is noted which sessions a server has written down; None = none is."""
    kept: Path | None = None
    """Where files are kept as they were before changes; None = nothing can be put back."""
    conversation: Conversation = msgspec.field(default_factory=Conversation)
    """That of the session that goes on; empty = a new one."""
    rules: tuple[Rule, ...] = ()
    remarks: tuple[str, ...] = ()
    """Sentences that the person is told when the session begins."""
    keep: Callable[[Sequence[str]], None] | None = None
    """Writes down rules that the person approves for this folder; None = nothing is kept. Called
    in a thread; may raise ConfigError."""
    api_key: str = ""
    tries: int | None = None
    """Requests at most for one answer of the first server; None = as usual, more where somebody
    starts it again."""
    revive: Callable[[], str] | None = None
    """Starts the first server once more if it is gone, and then gives a sentence. Called in a
    thread before each turn that it is to answer; may raise QcodeError. None = others do."""
    limits: Limits = msgspec.field(default_factory=Limits)
    person: Literal["present", "absent"] = "absent"
    verify: Literal["changed", "always"] = "changed"
    """When `agent.verify` runs; asked for in so many words, always."""
    sampling: Mapping[str, float] = msgspec.field(default_factory=dict)
    """Values of the flags, by the names of `fields.SAMPLING`."""
    tools: frozenset[str] | None = None
    """The model is offered these alone; None = all."""
    wanted: Wanted | None = None
    """The value that each turn is to give; None = words."""
    system: str = ""
    """The system text of the flags; empty = the built-in one."""
    said: frozenset[str] = frozenset()
    """Keys that were said for this run: `[models]` does not change them."""


def spill_folder() -> Path:
    """A folder of this run's own (0700) for outputs that are too long for the model. Those of runs
    that were killed go."""
    try:
        sweep()
        return passing()
    except OSError as error:
        raise InputError(
            f"No temporary folder can be made ({error.strerror}). Free some space, or set TMPDIR "
            "to a folder that you may write."
        ) from error


def web_of(rules: Iterable[Rule], offline: Literal["on", "off"]) -> Web:
    """What is known of hosts before any is asked for: whether `fetch` is worth its tokens."""
    found = [(one.answer, one.pattern) for one in rules if one.kind == "network"]
    if offline == "on" or ("deny", None) in found:
        return "closed"
    return "ruled" if any(answer == "allow" for answer, _ in found) else "unruled"


def offered(start: Start, offline: Literal["on", "off"]) -> tuple[type[Tool], ...]:
    """What the model is offered; what takes the value that is wanted stands last."""
    known = [one.name for one in start.conversation.tools]
    found = usable(known, start.person, web_of(start.rules, offline))
    if start.tools is not None:
        found = tuple(tool for tool in found if tool.name in start.tools)
    return (*found, tool_for(start.wanted)) if start.wanted else found


def head(
    start: Start, appended: str, tools: Sequence[type[Tool]], say: Say
) -> tuple[str, tuple[ToolSpec, ...]]:
    """System text and tools. A session that goes on keeps its own, so that the server's cache
    still fits; when this qcode's differ, they are taken, at the price of one whole reading."""
    system = system_text(appended, start.system)
    specs = tuple(spec(tool) for tool in tools)
    talk = start.conversation
    if talk.messages and (talk.system, talk.tools) != (system, specs):
        say(Notice("info", "The prompt of this session changed: it is read again once, whole."))
    return system, specs
