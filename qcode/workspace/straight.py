"""Open a path without following any link, whichever part of it.

Paths are made real before they are judged. Whoever puts a link in the way afterwards, anywhere on
it, is told apart here by the system itself: Linux has a call for it (`openat2`, 5.6), macOS a flag;
elsewhere, and where that call is filtered, each folder is opened in the one before.
"""

import errno
import os
import stat
import struct
import sys
from functools import cache
from pathlib import Path
from typing import Any

_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
_ANY = getattr(os, "O_NOFOLLOW_ANY", 0)
"""macOS: no part of the path may be a link."""
_STEP = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | _NO_LINKS
_OPENAT2 = 437
"""On every architecture of Linux."""
_AT_FDCWD = -100
_NO_SYMLINKS, _NO_MAGIC = 0x04, 0x02
_ABSENT = {errno.ENOSYS, errno.EPERM, errno.E2BIG, errno.EINVAL}
"""An old kernel, a filter around this process."""

WALKS = os.open in os.supports_dir_fd
"""This system can look names up in an open folder; Windows cannot."""


def folder_entries(path: str) -> dict[str, bool]:
    """Names in a folder, a real path, and whether each is a folder itself (a link is none). Raises
    OSError: also where a link stands on the way, for the names would be those of another folder.
    Strings all along: this is done for each folder of a tree."""
    if not WALKS or os.scandir not in os.supports_fd:
        with os.scandir(path) as found:
            return {entry.name: entry.is_dir(follow_symlinks=False) for entry in found}
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    by_kernel = sys.platform == "linux" and "\0" not in path
    quick = _by_the_kernel(os.fsencode(path), flags) if by_kernel else None
    opened = open_straight(Path(path), flags) if quick is None else quick
    try:
        with os.scandir(opened) as found:
            return {entry.name: entry.is_dir(follow_symlinks=False) for entry in found}
    finally:
        os.close(opened)


def open_straight(path: Path, flags: int) -> int:
    """A descriptor of `path`, absolute and real. Raises OSError: ELOOP = a link is on the way."""
    flags |= getattr(os, "O_CLOEXEC", 0)
    if not WALKS:
        return os.open(path, flags)
    if not path.is_absolute() or ".." in path.parts or "\0" in str(path):
        raise ValueError(f"{str(path)!r} is no real path")
    if _ANY:
        return os.open(path, flags | _ANY)
    if sys.platform == "linux" and (found := _by_the_kernel(os.fsencode(path), flags)) is not None:
        return found
    return walked(path, flags)


def walked(path: Path, flags: int) -> int:
    """As `open_straight`, folder by folder."""
    *above, leaf = path.parts[1:] or (".",)
    folder = os.open(path.anchor, _STEP)
    try:
        for name in above:
            inner = _opened(name, _STEP, folder)
            os.close(folder)
            folder = inner
        return _opened(leaf, flags | _NO_LINKS, folder)
    finally:
        os.close(folder)


def _opened(name: str, flags: int, folder: int) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except NotADirectoryError as error:  # so says Linux of a link where a folder is asked for
        if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name) from error
        raise


def _by_the_kernel(path: bytes, flags: int) -> int | None:
    """None = it cannot."""
    libc = _libc()
    if libc is None:
        return None
    how = struct.pack("=QQQ", flags, 0, _NO_SYMLINKS | _NO_MAGIC)
    while True:
        found = int(libc.syscall(_OPENAT2, _AT_FDCWD, path, how, len(how)))
        if found >= 0:
            return found
        number = libc.errno()
        if number in _ABSENT:
            return None
        if number not in (errno.EINTR, errno.EAGAIN):  # a rename beside it: once more
            raise OSError(number, os.strerror(number), os.fsdecode(path))


class _Libc:
    """What of the C library is called by number."""

    def __init__(self) -> None:
        import ctypes  # noqa: PLC0415 - start-up time: only where files are opened

        self._ctypes = ctypes
        self._call: Any = ctypes.CDLL(None, use_errno=True).syscall
        self._call.restype = ctypes.c_long

    def syscall(self, *arguments: Any) -> int:
        long = self._ctypes.c_long
        return int(self._call(*(long(one) if isinstance(one, int) else one for one in arguments)))

    def errno(self) -> int:
        return self._ctypes.get_errno()


@cache
def _libc() -> _Libc | None:
    try:
        return _Libc()
    except (ImportError, OSError, AttributeError):  # a Python without ctypes
        return None
