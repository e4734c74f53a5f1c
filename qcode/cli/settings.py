"""From flags to the settings of a run: its folder, and what was said over the configuration.

Light: the terminal app reads it before its first paint.
"""

from collections.abc import Mapping
from pathlib import Path

from qcode.cli.foreign_settings import FLAG
from qcode.cli.options import Options
from qcode.config.load import SANDBOX_WISH
from qcode.protocol.errors import InputError


def workspace(wanted: Path | None) -> Path:
    """The folder to work in. Raises InputError."""
    folder = (wanted or Path.cwd()).expanduser()
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder. -C names the folder to work in.")
    return folder.resolve()


def flags(options: Options) -> Mapping[str, tuple[str, object]]:
    """The flags that are settings, under the settings' names."""
    own = ("--gguf" if options.gguf else "qcode serve") if options.own_key else ""
    said = {
        "server.model": (own or "--model", options.model),
        "server.base_url": (own or "--base-url", options.base_url),
        "agent.thinking": ("--think", options.thinking),
        "agent.append_system_prompt": ("--append-system-prompt", options.append_system_prompt),
        "agent.verify": ("--verify", options.verify),
        "agent.verify_tries": ("--verify-tries", options.verify_tries),
        "agent.max_steps": ("--max-turns", options.max_turns),
        "agent.loops": ("--loops", options.loops),
        "agent.unattended": ("--unattended", "on" if options.unattended else None),
        "agent.offline": ("--offline", "on" if options.offline else None),
        "permission.mode": ("--permission-mode", options.permission_mode),
        "permission.sandbox": ("--sandbox", options.sandbox),
        SANDBOX_WISH: (FLAG, None if options.sandbox else options.theirs.sandbox),
    }
    return {key: (flag, value) for key, (flag, value) in said.items() if value is not None}
