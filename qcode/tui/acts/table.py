"""Which acts there are, and where they are found: their modules load when they are wanted."""

import asyncio
import importlib
from collections.abc import Mapping

from qcode.tui.acts.hands import Act

WHERE: Mapping[str, str] = {
    name: f"qcode.tui.acts.{module}"
    for module, names in {
        "sessions": ("new_session", "resume", "sessions", "fork", "rename", "export", "rewind"),
        "answering": (
            *("modes", "thinking", "sampling", "models", "servers", "profiles", "permissions"),
            *("again", "address"),
        ),
        "changes": ("review", "diff"),
        "looks": ("themes", "config", "help", "commands", "stats", "context", "vim"),
        "reporting": ("bug",),
        "examining": ("doctor",),
        "serving": ("model_file",),
        "demo": ("demo",),
    }.items()
    for name in names
}
"""Name -> module with a table `ACTS`."""


async def find(name: str) -> Act:
    """The act of that name. Imports in a thread: keys are taken meanwhile."""
    module = await asyncio.to_thread(importlib.import_module, WHERE[name])
    act: Act = module.ACTS[name]
    return act
