"""What happens to the names in some folders, as the kernel tells it. Linux."""

import ctypes
import errno
import os
import struct
from collections.abc import Iterator
from typing import Literal

import msgspec

_WRITTEN, _MOVED_FROM, _MOVED_TO, _CREATED, _DELETED = 0x8, 0x40, 0x80, 0x100, 0x200
_OVERFLOW, _FOLDER = 0x4000, 0x40000000
_ASKED = _WRITTEN | _MOVED_FROM | _MOVED_TO | _CREATED | _DELETED
_ONLY_FOLDERS, _NO_LINK = 0x01000000, 0x02000000
_HEAD = struct.Struct("iIII")
_BYTES = 1 << 16


class Change(msgspec.Struct, frozen=True):
    """One thing that happened."""

    path: str
    """Empty = so much happened that some of it was not told."""
    kind: Literal["gone", "came", "written"]
    """`came`: made, or renamed to it. `written`: closed by somebody who had it open to write."""
    folder: bool = False
    moved: int = 0
    """One number for both halves of a renaming; 0 = it is none."""


class Inotify:
    """Raises OSError where there is none, or where this user has no more of them."""

    def __init__(self) -> None:
        self._calls = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._calls, "inotify_init1"):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        self._folders: dict[int, str] = {}
        self.descriptor = self._checked(self._calls.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def add(self, folder: str) -> None:
        """From now on, for what lies directly in it. Raises OSError."""
        asked = _ASKED | _ONLY_FOLDERS | _NO_LINK
        number = self._calls.inotify_add_watch(self.descriptor, os.fsencode(folder), asked)
        self._folders[self._checked(number)] = folder

    def read(self) -> Iterator[Change]:
        """What happened since, in its order; does not wait."""
        while True:
            try:
                data = os.read(self.descriptor, _BYTES)
            except BlockingIOError:
                return
            at = 0
            while at < len(data):
                number, mask, moved, size = _HEAD.unpack_from(data, at)
                at += _HEAD.size + size
                yield from self._change(number, mask, moved, data[at - size : at])

    def close(self) -> None:
        """Nothing more is told."""
        os.close(self.descriptor)

    def _change(self, number: int, mask: int, moved: int, name: bytes) -> Iterator[Change]:
        if mask & _OVERFLOW:
            yield Change("", "gone")
        elif mask & _ASKED and (folder := self._folders.get(number)):
            path = f"{folder}/{os.fsdecode(name.rstrip(bytes(1)))}"
            came, gone = mask & (_MOVED_TO | _CREATED), mask & (_MOVED_FROM | _DELETED)
            kind: Literal["gone", "came", "written"] = (
                "came" if came else "gone" if gone else "written"
            )
            yield Change(path, kind, bool(mask & _FOLDER), moved)

    def _checked(self, result: int) -> int:
        if result < 0:
            raise OSError(number := ctypes.get_errno(), os.strerror(number))
        return int(result)
