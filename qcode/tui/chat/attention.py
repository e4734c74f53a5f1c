"""When a person who looks elsewhere is told, and what the window's title says. Pure."""

from pathlib import Path
from typing import Literal

import msgspec

from qcode.tui.status import Status

LONG_SECONDS = 20.0
"""A turn that takes longer is not waited for by everybody."""


class Attention(msgspec.Struct):
    """Where the person looks, as far as the terminal tells."""

    focus: Literal["here", "elsewhere", "unknown"] = "unknown"
    last_key: float = 0.0

    def away(self, now: float) -> bool:
        """Whether the person looks elsewhere; by their silence where the terminal does not tell."""
        if self.focus == "unknown":
            return now - self.last_key >= LONG_SECONDS
        return self.focus == "elsewhere"

    def news(self, before: Status, after: Status, now: float) -> str:
        """What to call after them; empty = nothing."""
        began = before.turn_since
        if began is None or now - began < LONG_SECONDS or not self.away(now):
            return ""
        if after.turn_since is None:
            return "qcode has finished"
        return "qcode waits for you" if after.phase == "asking" != before.phase else ""


def title(status: Status, folder: Path) -> str:
    """For the window: what goes on, and where."""
    mark = {"idle": "", "asking": "? "}.get(status.phase, "… ")
    return f"{mark}qcode · {status.name or folder.name}"
