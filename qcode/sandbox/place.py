"""One entry of what a fence mounts."""

from typing import Literal

import msgspec

Kind = Literal["write", "show", "tmp", "fresh", "hollow", "pin", "read", "stand", "hide"]


class Place(msgspec.Struct, frozen=True):
    """What is mounted at a path; everything else is read-only as it is."""

    kind: Kind
    """`write`: as outside. `show`: read-only, also where it is hidden around it. `tmp`: the folder
    `source`. `fresh`: an empty folder to write in. `hollow`: an empty one with only what other
    places put into it. `pin`: cannot be renamed. `read`: neither written nor renamed nor removed.
    `stand`: an empty folder in the place of a name that does not exist; not renamed or removed, and
    nothing of it reaches the disk. `hide`: empty."""
    path: str
    """Absolute, no link in it but perhaps the last."""
    source: str = ""
