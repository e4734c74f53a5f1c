"""What stands on the ground -> the places that a fence mounts, parents before children."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from qcode.sandbox.ground import Ground
from qcode.sandbox.names import REDIRECTIONS, RUNTIME
from qcode.sandbox.place import Kind, Place
from qcode.sandbox.protecting import protection
from qcode.sandbox.secrets import listed


class Plan(msgspec.Struct, frozen=True):
    """For one moment: what exists decides."""

    places: tuple[Place, ...]
    missing: tuple[tuple[Path, tuple[str, ...]], ...]
    """Writable folder -> names in it to be stood in for, before the places are mounted."""
    protected: tuple[str, ...] = ()
    """Paths of all names that are not written, or not renamed, whether they exist or not."""


def plan(ground: Ground, tmp: Path, listening: Iterable[str]) -> Plan:
    """`tmp` is what commands see as /tmp; `listening`: sockets of others (`sockets.bound`)."""
    found = _Found()
    for path, place in (*_system(ground, tmp), *_secrets(ground), *_sockets(ground, listening)):
        found.add(path, place)
    missing = []
    protected: dict[str, None] = {}
    for guarded in ground.guarded():
        folder, known = guarded.folder, protection(guarded)
        found.add(str(folder), Place("write", str(folder)))
        for place in known.places:
            found.add(place.path, place)
            protected[place.path] = None
        for name in known.missing:
            kind: Kind = "read" if name in REDIRECTIONS else "stand"  # the former are files
            found.add(f"{folder}/{name}", Place(kind, f"{folder}/{name}"))
            protected[f"{folder}/{name}"] = None
        missing.append((folder, known.missing))
    for shown in ground.shown:
        found.add(str(shown), Place("show", str(shown)))
    for folder in ground.writable:
        found.add(str(folder), Place("write", str(folder)))
    return Plan(found.ordered(), tuple(missing), tuple(protected))


class _Found:
    """One place a path: the last that was added."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}

    def add(self, path: str, place: Place) -> None:
        known = self._places.get(path)
        if known and known.kind in ("hide", "hollow") and place.kind in ("pin", "read", "stand"):
            return  # what is hidden is not written either
        self._places[path] = place

    def ordered(self) -> tuple[Place, ...]:
        """Parents first; what lies in something hidden is left out unless it was asked for."""
        paths = sorted(self._places, key=lambda path: path.split("/"))
        places = (self._places[path] for path in paths)
        return tuple(self._with_room(place) for place in places if self._is_wanted(place))

    def _is_wanted(self, place: Place) -> bool:
        if place.kind in ("write", "show", "tmp", "fresh", "hollow"):
            return True
        return self._around(place.path) not in ("hide", "hollow", "tmp", "fresh")

    def _around(self, path: str) -> str:
        """What the nearest place around `path` is, pins aside; empty = there is none."""
        while path:
            path = path.rpartition("/")[0]
            known = self._places.get(path or "/")
            if known and known.kind != "pin":
                return known.kind
        return ""

    def _with_room(self, place: Place) -> Place:
        """A hidden folder in which something is shown after all must have room for it."""
        inside = f"{place.path}/"
        if place.kind == "hide" and any(
            path.startswith(inside) and other.kind in ("write", "show")
            for path, other in self._places.items()
        ):
            return Place("hollow", place.path)
        return place


def _system(ground: Ground, tmp: Path) -> Iterator[tuple[str, Place]]:
    yield "/tmp", Place("tmp", "/tmp", str(tmp))
    yield "/var/tmp", Place("fresh", "/var/tmp")
    for run in ("/run", "/var/run"):
        if Path(run).is_dir() and not Path(run).is_symlink():
            yield run, Place("hollow", run)
    for name in RUNTIME:
        if Path("/run", name).exists():
            yield f"/run/{name}", Place("show", f"/run/{name}")
    if ground.runtime is not None:
        yield str(ground.runtime), Place("fresh", str(ground.runtime))


def _secrets(ground: Ground) -> Iterator[tuple[str, Place]]:
    for path in listed(ground):
        yield from _hidden(path)


def _sockets(ground: Ground, listening: Iterable[str]) -> Iterator[tuple[str, Place]]:
    for path in (*map(str, ground.sockets), *listening):
        yield from _hidden(path)


def _hidden(path: str) -> Iterator[tuple[str, Place]]:
    """It, and what it leads to. In strings: this is done a hundred times a command."""
    if not os.path.lexists(path):
        return
    # of its folder the real name, for no link is followed when it is mounted
    folder, _, name = path.rpartition("/")
    at = f"{os.path.realpath(folder or '/').rstrip('/')}/{name}"
    yield at, Place("hide", at)
    real = os.path.realpath(path)
    if real != at and os.path.lexists(real):
        yield real, Place("hide", real)
