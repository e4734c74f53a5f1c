"""From flags and settings to what an engine starts with: the session, the rules, the limits.

The same for `-p` and for the terminal app.
"""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from qcode.cli import foreign_settings
from qcode.cli.options import Options
from qcode.cli.rules import ground_of, keep, rules
from qcode.config.load import Loaded
from qcode.config.paths import make, paths
from qcode.config.secrets import endpoint_key
from qcode.engine.limits import Limits
from qcode.engine.start import Start
from qcode.fencing import gives_up_sandbox
from qcode.headless.names import OURS
from qcode.permission.modes import PRESETS
from qcode.protocol.errors import InputError, QcodeError, SessionError
from qcode.protocol.events import AnyEvent, Event
from qcode.session.conversation import Conversation, fold
from qcode.session.log import Log
from qcode.session.places import project
from qcode.session.store import Resumed
from qcode.tools.builtin import BUILTIN
from qcode.tools.structured import Wanted, read_schema

RESTARTED_TRIES = 7
"""For one answer of a server that its keeper starts again after a crash: 24 s until it listens.
While it loads its model then, it is waited for as any other."""


class Session(msgspec.Struct, frozen=True):
    """What goes on, or begins."""

    log: Log | None = None
    """None = none is kept."""
    conversation: Conversation = msgspec.field(default_factory=Conversation)
    past: tuple[AnyEvent, ...] = ()
    """What its log holds."""
    loss: str = ""
    """A sentence, where the log was damaged."""


def going_on(resumed: Resumed, folder: Path, session_id: str, flags: str = "") -> Session:
    """What was opened to go on; `session_id` is what the person asked for, and `flags` what they
    would say again. Raises SessionError where it belongs to another folder."""
    conversation = fold(resumed.opened.events)
    if Path(conversation.folder) != folder:
        resumed.log.close()
        raise SessionError(
            f"The session {session_id} belongs to {conversation.folder}. "
            f"Go on there: qcode -C {conversation.folder} --resume {session_id}{flags}"
        )
    past = tuple(event for event in resumed.opened.events if isinstance(event, Event))
    return Session(resumed.log, conversation, past, resumed.opened.loss)


def remarks(loaded: Loaded) -> Iterator[str]:
    """What a person should know before anything runs."""
    yield from loaded.notices
    if loaded.proposed_verify and not loaded.config.agent.verify:
        command = loaded.proposed_verify.value
        yield (
            f"this project proposes to verify with {command!r}; it is not run unless you "
            "say --verify."
        )
    permission = loaded.config.permission
    preset = PRESETS.get(permission.mode)
    if preset and preset.mode == "auto" and gives_up_sandbox(permission):
        yield "commands run without a sandbox and without being asked about."
    if loaded.config.agent.offline == "on" and gives_up_sandbox(permission):
        yield "offline is qcode itself alone: without a sandbox commands reach the network."


def start(
    options: Options,
    loaded: Loaded,
    folder: Path,
    session: Session,
    person: Literal["present", "absent"],
) -> Start:
    """All that an engine is made of. Raises ConfigError, InputError and UsageError."""
    foreign_settings.set_variables(options.theirs)
    config = loaded.config
    server = config.server
    own = options.own_key
    key = None if own else endpoint_key(server.base_url, server.api_key_env, os.environ)
    added = tuple(_added(path) for path in options.add_dirs)
    ground = ground_of(folder, added)
    found = rules(loaded, ground, options.allowed_tools, options.disallowed_tools)
    return Start(
        folder=folder,
        add_dirs=added,
        own=paths().folders,
        state=_state(options) if not gives_up_sandbox(config.permission) else None,
        log=session.log,
        slots=paths().slots,
        kept=paths().checkpoints / project(folder),
        conversation=session.conversation,
        rules=(*found.rules, *foreign_settings.rules(options.theirs, ground)),
        remarks=found.remarks,
        keep=partial(keep, folder),
        api_key=key.value if key else own,
        tries=RESTARTED_TRIES if own else None,
        revive=options.revive if own else None,
        limits=Limits(
            max_steps=config.agent.max_steps,
            max_tool_calls=options.max_tool_calls,
            max_wall_seconds=options.max_wall_seconds,
            max_tokens=options.max_tokens_total,
        ),
        person=person,
        verify="always" if options.verify else "changed",
        sampling=options.sampling,
        tools=_tools(options.tools) if options.tools is not None else None,
        wanted=_wanted(options.schema) if options.schema else None,
        system=options.system_prompt or "",
        said=loaded.said,
    )


def _state(options: Options) -> Path | None:
    """Where it is kept which fence was proven. Without a session no folder is made for it, and a
    home that cannot be written is no reason not to start: it is proven each time, then."""
    folder = paths().state
    if options.no_session and not folder.is_dir():
        return None
    try:
        return make(folder)
    except QcodeError:
        return None


def _added(path: Path) -> Path:
    if not path.is_dir():
        raise InputError(f"--add-dir {path}: there is no such folder.")
    return path.resolve()


def _wanted(schema: str) -> Wanted:
    """What `--json-schema` says: the schema itself, or a file that holds it."""
    text = schema.strip()
    if not text.startswith("{"):
        path = Path(text.removeprefix("@"))
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"--json-schema {path} cannot be read ({error}).") from error
    return Wanted(read_schema(text))


def _tools(names: str) -> frozenset[str] | None:
    """What `--tools` says, by our names; None = all."""
    said = [name.strip() for name in names.split(",") if name.strip()]
    if said == ["default"]:
        return None
    known = {tool.name for tool in BUILTIN}
    found = {OURS.get(name, name) for name in said}
    if unknown := found - known:
        there = ", ".join(sorted(known))
        raise InputError(f"--tools: there is no tool {min(unknown)!r}. There are {there}.")
    return frozenset(found)
