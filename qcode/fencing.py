"""Permission -> what stands around commands: a fence that a trial run proved here, or nothing.

The half of `assemble` that knows about fences, and what a run can say of itself before the other
half is so much as imported. A trial takes 70 ms (November 2026, two cores), once a boot; after that
the choice takes less than one.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from qcode.config.model import Config, Permission
from qcode.config.profiles import base_urls
from qcode.engine.start import Start, offered, spill_folder
from qcode.permission.modes import PRESETS, Fence, Mode, parse_mode
from qcode.protocol.errors import SandboxMissing
from qcode.protocol.hosts import origin
from qcode.sandbox.choose import LANDLOCK, choose, proven
from qcode.sandbox.doors import Ways
from qcode.sandbox.fenced import FencedRunner
from qcode.sandbox.ground import Ground
from qcode.sandbox.limits import Limits
from qcode.sandbox.passing import pass_away
from qcode.sandbox.placeholders import MARK_SECONDS
from qcode.sandbox.plain import PlainRunner
from qcode.tools.base import Tool

STAND_IN_NS = MARK_SECONDS * 10**9
"""Time of change of what a fence places in the workspace while commands run: see `placeholders`."""

ALLOW = "Allow some: --allowed-tools 'Bash(pytest:*)'; all: --permission-mode auto --sandbox off."


class Folders(msgspec.Struct, frozen=True):
    """What a fence must know of this run."""

    writable: Sequence[Path]
    """Where commands may write, the workspace first."""
    own: Sequence[Path]
    """Hidden from them."""
    spill: Path
    """Long outputs, which they may read."""
    state: Path | None
    """Where it is kept until the next boot which fence was proven; None = nowhere."""


class Around(msgspec.Struct, frozen=True):
    """What runs commands, and what the mode table makes of it."""

    runner: PlainRunner
    fence: Fence
    why: str = ""
    """Why there is none though one was wished for, a sentence."""


class Footing(msgspec.Struct, frozen=True):
    """What a run stands on: known before there is an engine."""

    spill: Path
    """Long outputs; it is the engine's to take away."""
    around: Around
    mode: Mode
    tools: tuple[type[Tool], ...]
    """What the model is offered."""


def footing(config: Config, start: Start) -> Footing:
    """Tries what the settings ask for. Raises SandboxMissing, ConfigError and InputError."""
    spill = spill_folder()
    try:
        folders = Folders((start.folder, *start.add_dirs), start.own, spill, start.state)
        found = around(config, folders)
        mode = _mode(config.permission.mode, start.person, found.fence)
        return Footing(spill, found, mode, offered(start, config.agent.offline))
    except BaseException:  # nobody will close an engine that was not made
        pass_away(spill)
        raise


def _mode(word: str, person: Literal["present", "absent"], fence: Fence) -> Mode:
    if word:
        return parse_mode(word).mode
    if person == "present":
        return "ask"
    return "auto" if fence == "holds" else "edit"


def around(config: Config, folders: Folders) -> Around:
    """What the settings ask for. Raises SandboxMissing."""
    found = _around(config, folders)
    sandbox = config.sandbox
    found.runner.limit(Limits.of(sandbox.memory_megabytes, sandbox.processes))
    return found


def _around(config: Config, folders: Folders) -> Around:
    permission, spill = config.permission, folders.spill
    if gives_up_sandbox(permission):
        return Around(PlainRunner(spill), "off")
    ground = Ground.of(folders.writable, folders.own, (spill,), os.environ)
    ground = replace(ground, processes=config.sandbox.processes)
    choice = choose(ground, folders.state or spill, accepted=_accepted(config))
    if choice.fence is not None:
        ways = Ways(closed=frozenset(origin(url)[1] for url in base_urls(config)))
        return Around(FencedRunner(choice.fence, spill, ways=ways), "holds")
    if permission.sandbox != "required":
        return Around(PlainRunner(spill), "none", choice.why)
    raise SandboxMissing(
        f"A sandbox is required (--sandbox required). {choice.why} Run without it, or with "
        "--sandbox off in a container of your own."
    )


def known(config: Config, folder: Path, state: Path) -> Fence:
    """What a run in `folder` would find, as far as an earlier one proved it. Tries nothing."""
    if gives_up_sandbox(config.permission):
        return "off"
    ground = Ground.of((folder,), (), (), os.environ)
    return "holds" if proven(ground, state, accepted=_accepted(config)) else "none"


def _accepted(config: Config) -> tuple[str, ...]:
    """The weaker fences that the person takes for one."""
    return (LANDLOCK,) if config.sandbox.accept_landlock == "yes" else ()


def gives_up_sandbox(permission: Permission) -> bool:
    """The user's own word: `--sandbox off`, or a mode that stands for it. `required` overrules."""
    preset = PRESETS.get(permission.mode)
    by_mode = preset is not None and preset.sandbox == "off"
    return permission.sandbox == "off" or (by_mode and permission.sandbox == "auto")


def remark(found: Around, person: Literal["present", "absent"]) -> str:
    """What the person should know where no fence holds; empty = nothing."""
    if found.fence != "none":
        return ""
    if person == "present":
        return f"No sandbox holds here, so each command is asked about. {found.why}"
    denied = "No sandbox holds here, so commands that no rule allows are denied."
    return f"{denied} {found.why} {ALLOW}"
