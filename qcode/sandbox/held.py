"""What stands at a name: read once, known again without reading, and put back.

Everything goes by descriptor and follows no link: whoever is to be undone may have left one.
"""

import os
import stat
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from qcode.sandbox.placeholders import stands_in

FILES, BYTES = 4_000, 32_000_000
"""Kept of one workspace; of what is beyond it a change is seen and cannot be undone."""
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


class Held(msgspec.Struct, frozen=True):
    """One name as it was."""

    kind: int
    """Of `st_mode`; 0 = there is nothing."""
    known: tuple[int, ...] = ()
    """Changes with every write."""
    rights: int = 0
    data: bytes | None = None
    """Of a file, or where a link leads; None = not kept."""
    below: "Mapping[str, Held]" = msgspec.field(default_factory=dict)

    def same(self, other: "Held") -> bool:
        """Whether nothing was done to it that matters."""
        if (self.kind, self.rights) != (other.kind, other.rights):
            return False
        if stat.S_ISDIR(self.kind) and not self.known + other.known:
            return self.below.keys() == other.below.keys() and all(
                held.same(other.below[name]) for name, held in self.below.items()
            )
        if self.known == other.known:
            return True
        return self.data is not None and self.data == other.data


NOTHING = Held(0)


class Room(msgspec.Struct):
    """How much more is kept."""

    files: int = FILES
    size: int = BYTES

    def takes(self, size: int) -> bool:
        self.files, self.size = self.files - 1, self.size - size
        return self.files >= 0 and self.size >= 0


def look(at: int, name: str, before: Held, room: Room) -> Held:
    """What stands at `name` in the folder `at`; what is `before` is not read again."""
    try:
        found = os.stat(name, dir_fd=at, follow_symlinks=False)
    except OSError:
        return NOTHING
    kind, rights = stat.S_IFMT(found.st_mode), stat.S_IMODE(found.st_mode)
    known = (found.st_dev, found.st_ino, found.st_ctime_ns, found.st_size)
    try:
        if stat.S_ISDIR(kind):
            below = _entries(at, name, before, room)
            if not below and stands_in(found):  # another fence's: it comes and goes with that one
                return NOTHING
            return Held(kind, (), rights, below=below)
        room_for_it = room.takes(found.st_size)
        if (before.kind, before.known) == (kind, known):
            return before
        return Held(kind, known, rights, _content(at, name, kind) if room_for_it else None)
    except OSError:  # it may not be read: that it changes is seen all the same
        return Held(kind, known, rights)


def put_back(at: int, name: str, was: Held, now: Held) -> bool:
    """Make it what it was; False = it could not be. Never raises."""
    if was.same(now):
        return True
    try:
        if stat.S_ISDIR(was.kind) and not was.known:
            return _put_folder_back(at, name, was, now)
        if was.kind and was.data is None:
            return False
        _remove(at, name)
        _make(at, name, was)
    except OSError:
        return False
    return True


def _entries(at: int, name: str, before: Held, room: Room) -> dict[str, Held]:
    folder = os.open(name, _FOLDER, dir_fd=at)
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - a descriptor, not a path
        if room.files <= 0:
            return {it: Held(stat.S_IFREG) for it in names}
        return {it: look(folder, it, before.below.get(it, NOTHING), room) for it in names}
    finally:
        os.close(folder)


def _content(at: int, name: str, kind: int) -> bytes | None:
    if stat.S_ISLNK(kind):
        return os.fsencode(os.readlink(name, dir_fd=at))
    if not stat.S_ISREG(kind):
        return None
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with os.fdopen(os.open(name, flags, dir_fd=at), "rb") as file:
        return file.read(BYTES)


def _put_folder_back(at: int, name: str, was: Held, now: Held) -> bool:
    if not stat.S_ISDIR(now.kind):
        _remove(at, name)
        os.mkdir(name, dir_fd=at)
        now = Held(was.kind)
    folder = os.open(name, _FOLDER, dir_fd=at)
    try:
        os.chmod(folder, was.rights)  # noqa: PTH101 - a descriptor
        done = True
        for it in sorted({*was.below, *now.below}):
            one = put_back(folder, it, was.below.get(it, NOTHING), now.below.get(it, NOTHING))
            done = done and one
        return done
    finally:
        os.close(folder)


def _make(at: int, name: str, was: Held) -> None:
    if stat.S_ISLNK(was.kind):
        os.symlink(os.fsdecode(was.data or b""), name, dir_fd=at)
    elif was.kind:
        with os.fdopen(os.open(name, _NEW, 0o600, dir_fd=at), "wb") as file:
            file.write(was.data or b"")
            os.fchmod(file.fileno(), was.rights)


def _remove(at: int, name: str) -> None:
    """It and all below it. Raises OSError."""
    try:
        os.unlink(name, dir_fd=at)
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):  # macOS says the latter of folders
        folder = os.open(name, _FOLDER, dir_fd=at)
        try:
            with suppress(OSError):
                os.chmod(folder, 0o700)  # noqa: PTH101 - a descriptor
            for it in os.listdir(folder):  # noqa: PTH208 - a descriptor
                _remove(folder, it)
        finally:
            os.close(folder)
        os.rmdir(name, dir_fd=at)
