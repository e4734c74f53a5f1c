"""Names below a workspace -> what to mount so that no command writes them, existing or not."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from qcode.sandbox.guarded import Guarded
from qcode.sandbox.place import Kind, Place
from qcode.sandbox.placeholders import stands_in


class Protection(msgspec.Struct, frozen=True):
    """What is there, and what is not."""

    places: tuple[Place, ...]
    missing: tuple[str, ...]
    """Relative to the folder; of each name the first component that does not exist."""


def protection(guarded: Guarded) -> Protection:
    """For one writable folder. Looks at names only, follows no link."""
    folder = guarded.folder
    found: dict[str, Kind] = {}
    missing: dict[str, None] = {}
    for name in guarded.all():
        for kind, at in _along(folder, name):
            if kind is None and name not in guarded.existing:
                missing[at] = None
            elif kind and found.get(at, "pin") == "pin":  # a name can be the parent of another
                found[at] = kind
    places = (Place(kind, f"{folder}/{at}") for at, kind in found.items())
    return Protection(tuple(places), tuple(missing))


def _along(folder: Path, name: str) -> Iterator[tuple[Kind | None, str]]:
    """What to do with each component of `name`; None = it is missing, and this is the end."""
    parts = name.split("/")
    for end in range(1, len(parts) + 1):
        at = "/".join(parts[:end])
        try:
            found = os.lstat(f"{folder}/{at}")
        except FileNotFoundError:
            yield None, at
            return
        mode = found.st_mode
        if stat.S_ISLNK(mode):  # what it leads to may be anywhere: the link itself is covered
            yield "hide", at
            return
        if stat.S_ISDIR(mode) and stands_in(found):
            yield "stand", at
            return
        if end == len(parts) or not stat.S_ISDIR(mode):
            yield "read", at
            return
        yield "pin", at
