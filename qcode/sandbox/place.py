"""One entry of what a fence mounts."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["write", "show", "tmp", "fresh", "hollow", "pin", "read", "hide"]


@dataclass(frozen=True, slots=True)
class Place:
    """What is mounted at a path; everything else is read-only as it is."""

    kind: Kind
    """`write`: as outside. `show`: read-only, also where it is hidden around it. `tmp`: the folder
    `source`. `fresh`: an empty folder to write in. `hollow`: an empty one with only what other
    places put into it. `pin`: cannot be renamed. `read`: neither written nor renamed nor removed.
    `hide`: empty."""
    path: str
    """Absolute, no link in it but perhaps the last."""
    source: str = ""
