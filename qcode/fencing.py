"""Permission -> what stands around commands: a fence that a trial run proved here, or nothing.

The half of `assemble` that knows about fences. One is raised where it is required: until the
network can be opened for a single command, nobody gets a fence without asking for it.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qcode.config.model import Permission
from qcode.permission.modes import PRESETS, Fence
from qcode.protocol.errors import SandboxMissing
from qcode.sandbox.choose import choose
from qcode.sandbox.fenced import FencedRunner
from qcode.sandbox.ground import Ground
from qcode.sandbox.plain import PlainRunner


@dataclass(frozen=True, slots=True)
class Around:
    """What runs commands, and what the mode table makes of it."""

    runner: PlainRunner
    fence: Fence


def around(
    permission: Permission,
    folders: Sequence[Path],
    own: Sequence[Path],
    spill: Path,
    state: Path | None,
) -> Around:
    """What `permission` asks for.

    `folders`: where commands may write, the workspace first. `own`: hidden from them. `spill`:
    long outputs, which they may read. `state`: where it is kept until the next boot which fence
    was proven; None = nowhere. Raises SandboxMissing.
    """
    if gives_up_sandbox(permission):
        return Around(PlainRunner(spill), "off")
    if permission.sandbox != "required":
        return Around(PlainRunner(spill), "none")
    ground = Ground.of(folders, own, (spill,), os.environ)
    choice = choose(ground, state or spill)
    if choice.fence is None:
        raise SandboxMissing(
            f"A sandbox is required (--sandbox required). {choice.why} Run without it, or with "
            "--sandbox off in a container of your own; `qcode sandbox check` says what was tried."
        )
    return Around(FencedRunner(choice.fence, spill), "holds")


def gives_up_sandbox(permission: Permission) -> bool:
    """The user's own word: `--sandbox off`, or a mode that stands for it. `required` overrules."""
    preset = PRESETS.get(permission.mode)
    by_mode = preset is not None and preset.sandbox == "off"
    return permission.sandbox == "off" or (by_mode and permission.sandbox == "auto")
