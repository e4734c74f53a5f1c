"""Protected names under a fence that cannot prevent their being written: found out and undone.

They are read before a command, compared after it, and put back as they were. While something that a
command left is running, every change is taken for its work, the person's own edits of these names
included: nobody can tell them apart.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from qcode.sandbox.ground import Ground
from qcode.sandbox.guarded import Guarded
from qcode.sandbox.held import NOTHING, Held, Room, look, put_back

_WORKTREE, _MODULE = ("commondir", "gitdir", "config.worktree"), ("config", "hooks", "commondir")
_MANY = {
    **{".git/worktrees": _WORKTREE, "worktrees": _WORKTREE},
    **{".git/modules": _MODULE, "modules": _MODULE},
}
"""Folders of repositories: of each entry only what leads git elsewhere; the rest is git's work."""
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)


class Watch(msgspec.Struct):
    """Over the writable folders of a ground."""

    ground: Ground
    tripped: str = ""
    """What a command wrote first, a sentence; empty = none wrote anything that is protected."""
    _running: int = 0
    _known: dict[tuple[Path, str], Held] = msgspec.field(default_factory=dict)

    def begin(self) -> None:
        """A command is about to begin. Never raises."""
        if self._running == 0:
            self._known = self._looked()
        self._running += 1

    def end(self) -> tuple[str, ...]:
        """It has ended: a sentence for each name that had to be put back. Never raises."""
        self._running -= 1
        now, said = self._looked(), []
        for (folder, name), held in now.items():
            was = self._known.get((folder, name), NOTHING)
            if not was.same(held) and not self._allowed(folder, name, was):
                said.append(_undone(folder, name, was, held))
        if said:
            self._known |= self._looked()  # what could not be put back is told once
            self.tripped = self.tripped or said[0]
        return tuple(said)

    def _allowed(self, folder: Path, name: str, was: Held) -> bool:
        """To make what is only protected where it is, and another repository of git's."""
        existing = {it for one in self.ground.guarded() for it in one.existing}
        if name.startswith(tuple(f"{many}/" for many in _MANY)):
            return (folder, name) not in self._known
        return name in existing and not was.kind

    def _looked(self) -> dict[tuple[Path, str], Held]:
        found = {}
        for guarded in self.ground.guarded():
            room, folder = Room(), guarded.folder
            for name in dict.fromkeys(_names(guarded)):
                was = self._known.get((folder, name), NOTHING)
                found[folder, name] = _at(folder, name, was, room)
            for gone in self._known:
                if gone[0] == folder and gone not in found:  # its folder is, then
                    found[gone] = _at(folder, gone[1], self._known[gone], room)
        return found


def _names(guarded: Guarded) -> Iterator[str]:
    """Relative to its folder; what lies in a link is as protected as the link."""
    folder, many = guarded.folder, [name for name in _MANY if name in guarded.existing]
    for name in guarded.all():
        if name not in many:
            yield _short(folder, name)
    for name in many:
        parts = _MANY[name]
        with suppress(OSError):
            for entry in sorted(os.listdir(folder / name)):  # noqa: PTH208 - names, not paths
                yield from (f"{name}/{entry}/{part}" for part in parts)


def _short(folder: Path, name: str) -> str:
    """Up to the first component that is there and no folder."""
    parts = name.split("/")
    for end in range(1, len(parts)):
        with suppress(OSError):
            if not stat.S_ISDIR((folder / "/".join(parts[:end])).lstat().st_mode):
                return "/".join(parts[:end])
    return name


def _at(folder: Path, name: str, was: Held, room: Room) -> Held:
    *way, last = name.split("/")
    try:
        at = _enter(folder, way)
    except OSError:
        return NOTHING
    try:
        return look(at, last, was, room)
    finally:
        os.close(at)


def _undone(folder: Path, name: str, was: Held, now: Held) -> str:
    deed = "made" if not was.kind else "changed" if now.kind else "removed"
    *way, last = name.split("/")
    done = False
    with suppress(OSError):
        if was.kind:
            _make_way(folder, way)
        at = _enter(folder, way)
        try:
            done = put_back(at, last, was, now)
        finally:
            os.close(at)
    end = "this was undone" if done else "it could not be put back: look at it"
    return f"{name} was {deed} by a command, though it is protected; {end}."


def _make_way(folder: Path, way: list[str]) -> None:
    """The folders above it: what stands in their place, as a link, goes."""
    at = os.open(folder, _FOLDER)
    try:
        for name in way:
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=at)
            if not stat.S_ISDIR(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode):
                os.unlink(name, dir_fd=at)
                os.mkdir(name, dir_fd=at)
            below = os.open(name, _FOLDER, dir_fd=at)
            os.close(at)
            at = below
    finally:
        os.close(at)


def _enter(folder: Path, way: list[str]) -> int:
    at = os.open(folder, _FOLDER)
    try:
        for name in way:
            below = os.open(name, _FOLDER, dir_fd=at)
            os.close(at)
            at = below
    except BaseException:
        os.close(at)
        raise
    return at
