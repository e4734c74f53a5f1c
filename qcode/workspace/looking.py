"""What stands at a path now, its bytes taken into the shadow store."""

import os
import stat
from pathlib import Path

import msgspec

from qcode.workspace.kept import ABSENT, FROM_GIT, Entry, object_id
from qcode.workspace.shadow import Shadow
from qcode.workspace.straight import open_straight

FILE_BYTES = 8 * 1024 * 1024
"""A larger file is not kept."""
LOOK_BYTES = 256 * 1024 * 1024
LOOK_FILES = 20_000
"""So much is kept at one look at the tree."""

_READ = os.O_RDONLY
for _flag in ("O_NONBLOCK", "O_BINARY"):
    _READ |= getattr(os, _flag, 0)


class Room(msgspec.Struct):
    """What may still be kept at one look."""

    files: int = LOOK_FILES
    size: int = LOOK_BYTES

    def takes(self, size: int) -> bool:
        """Whether a file of `size` still fits; then it is counted."""
        if size > FILE_BYTES or size > self.size or (size and self.files <= 0):
            return False
        if not size:  # all empty files are one object
            return True
        self.files -= 1
        self.size -= size
        return True


def look(path: Path, shadow: Shadow, room: Room) -> Entry:
    """What is there. A file that cannot be read, or does not fit, is told without its content.

    Raises OSError where the store cannot be written.
    """
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            return Entry("link", 0, os.readlink(os.fsencode(path)))  # noqa: PTH115 - bytes
    except (OSError, ValueError):
        return ABSENT
    if stat.S_ISDIR(status.st_mode):
        return Entry("folder", stat.S_IMODE(status.st_mode))
    bare = Entry("file", stat.S_IMODE(status.st_mode), b"", status.st_size)
    if not stat.S_ISREG(status.st_mode) or not room.takes(status.st_size):
        return bare
    found = _read(path)
    if found is None:
        return bare
    data, mode = found
    return Entry("file", mode, shadow.put(data), len(data))


def _read(path: Path) -> tuple[bytes, int] | None:
    """Bytes and permissions; None = not readable, or it grew beyond all bounds meanwhile."""
    try:
        descriptor = open_straight(path, _READ)
    except (OSError, ValueError):
        return None
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        try:
            data = file.read(FILE_BYTES + 1) if stat.S_ISREG(mode) else None
        except OSError:
            return None
    if data is None or len(data) > FILE_BYTES:
        return None
    return data, stat.S_IMODE(mode)


def same(one: Entry, other: Entry, shadow: Shadow) -> bool:
    """Whether both are the same to the byte; what was not kept is like nothing."""
    if (one.kind, one.mode) != (other.kind, other.mode):
        return False
    if one.kind != "file" or _bytes_of(one) == _bytes_of(other):
        return _bytes_of(one) == _bytes_of(other) and one.kept
    if one.size != other.size or not (one.kept and other.kept):
        return False
    ids = [_git(one), _git(other)]
    if not any(ids) or all(ids):
        return False
    kept = other if ids[0] else one
    data = shadow.get(kept.content)
    like = ids[0] or ids[1]
    return data is not None and object_id(data, like) == like


def _bytes_of(entry: Entry) -> bytes:
    """What its content is, wherever that lies; of a link where it points."""
    return entry.content.partition(b"@")[0] if entry.kind == "file" else entry.content


def _git(entry: Entry) -> str:
    """The object id; empty = the content is in the store."""
    text = entry.content.decode()
    return text.removeprefix(FROM_GIT) if text.startswith(FROM_GIT) else ""
