"""What stands on the ground -> what Landlock grants: everything around what is hidden.

Rules cannot take a part of a granted tree away, so on the way down to each hidden place its
neighbours are granted one by one. The folders on that way can be entered but not listed.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from qcode.sandbox.ground import Ground
from qcode.sandbox.names import RUNTIME
from qcode.sandbox.secrets import listed

DEVICES = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty"))
HIDDEN = ("/tmp", "/var/tmp", "/run", "/var/run", "/dev")
MOST = 20_000
"""Neighbours; with more of them each command would wait for too long."""


class Grants(msgspec.Struct, frozen=True):
    """Paths without links."""

    read: tuple[str, ...]
    write: tuple[str, ...]
    folders: tuple[str, ...]
    """Those whose entries were looked at: when one of them changes, so may the rest."""


def grants(ground: Ground, tmp: Path) -> Grants:
    """`tmp` is what commands have instead of /tmp. Raises OSError."""
    hidden = set(_hidden(ground))
    there = [path for path in hidden if os.path.lexists(path)]
    folders = [it.folder for it in ground.guarded()]
    for folder in folders:
        if inside := next((path for path in there if _below(path, str(folder))), ""):
            raise OSError(f"Landlock cannot hide {inside}, which lies in {folder}")
    walked = _Walk(hidden)
    walked.enter("/")
    shown = (*map(str, ground.shown), *(f"/run/{name}" for name in RUNTIME))
    write = (*map(str, folders), str(tmp), *DEVICES)
    return Grants((*walked.found, *shown), write, tuple(walked.folders))


class _Walk:
    """Down from the root, along the ways to what is hidden."""

    def __init__(self, hidden: set[str]) -> None:
        self.found: list[str] = []
        self.folders: list[str] = []
        self._hidden = hidden
        self._ways = {str(parent) for path in hidden for parent in Path(path).parents}

    def enter(self, folder: str) -> None:
        self.folders.append(folder)
        try:
            entries = list(os.scandir(folder))
        except OSError:  # it cannot be listed, so nothing in it is granted
            return
        for entry in entries:
            if entry.path in self._hidden or entry.is_symlink():
                continue
            if entry.path in self._ways:
                self.enter(entry.path)
            else:
                self.found.append(entry.path)
        if len(self.found) > MOST:
            raise OSError(f"{folder} has too many entries for Landlock")


def _hidden(ground: Ground) -> Iterator[str]:
    """It, existing or not, and what it leads to."""
    extra = (*map(Path, HIDDEN), *ground.sockets, *((ground.runtime,) if ground.runtime else ()))
    for path in (*map(Path, listed(ground)), *extra):
        yield os.path.join(os.path.realpath(path.parent), path.name)  # noqa: PTH118 - strings
        yield os.path.realpath(path)


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
