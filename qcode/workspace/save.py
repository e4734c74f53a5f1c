"""Replace the bytes of a file: all of them or none, and only those that were approved.

A temporary file in the same folder, flushed to the disk, takes the old one's place; mode, owner
and extended attributes go with it. Where the system can, the two are exchanged, then looked at what
came out: somebody else's change of that very moment is put back. A file with several names (hard
links) is written in place, so that all of them see the change: the old bytes are put back when that
fails.
"""

import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from qcode.workspace.files import Loaded, Located, digest
from qcode.workspace.held import Held, held, make_folders
from qcode.workspace.renaming import rename
from qcode.workspace.trouble import FileTrouble, IsFolder, trouble

_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)  # Windows lacks the first
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE
_OLD = os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | _SAFE
_NAMELESS = getattr(os, "O_TMPFILE", 0)


def save(located: Located, data: bytes, was: Loaded | None) -> str:
    """Write `data`; returns its digest. Raises FileTrouble, and then nothing was changed.

    `was`: the file as it was loaded; if it is another by now, it is left alone. None = there was
    none: folders on the way are made, and a file that came up meanwhile is left alone.
    """
    try:
        if was is None:
            make_folders(located.path.parent)
        with held(located.path.parent) as folder:
            if was is None:
                _bring(folder, located, data)
            else:
                _replace(folder, located, data, was)
    except FileExistsError as error:
        raise FileTrouble(_APPEARED.format(located.shown)) from error
    except (OSError, ValueError) as error:
        raise trouble(error, located.shown, "write") from error
    return digest(data)


_APPEARED = "{} exists by now. Read it first. Nothing was changed."
_CHANGED = "{} changed a moment ago. Read it again."


def _bring(folder: Held, located: Located, data: bytes) -> None:
    """A file that was not there. Raises FileExistsError."""
    leaf = folder.name(located.path.name)
    if _status(folder, leaf, located) is not None:
        raise FileExistsError
    with _filled(folder, data, 0o666, lambda descriptor: None) as name:
        if not rename(folder.fd, name, leaf, "new"):
            if _status(folder, leaf, located) is not None:
                raise FileExistsError
            os.replace(name, leaf, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
    _flush(folder)


def _replace(folder: Held, located: Located, data: bytes, was: Loaded) -> None:
    leaf = folder.name(located.path.name)
    status = _status(folder, leaf, located)
    if status is None:
        raise FileTrouble(f"{located.shown} is gone since it was read. Nothing was changed.")
    old = os.open(leaf, _OLD, dir_fd=folder.fd)  # a write-protected file says so here
    try:
        now = _all(old, len(was.data) + 1)
        status = os.fstat(old)
        if not stat.S_ISREG(status.st_mode) or digest(now) != was.digest:
            raise FileTrouble(_CHANGED.format(located.shown))
        if status.st_nlink > 1:
            overwrite(old, data, now)
            return
        with _filled(folder, data, 0o600, lambda new: _inherit(new, old, status)) as name:
            _take_place(folder, (name, leaf), status, located)
    finally:
        os.close(old)
    _flush(folder)


def _take_place(
    folder: Held, names: tuple[str, str], status: os.stat_result, located: Located
) -> None:
    """The new file has the old one's name, and the old one, if any, the new one's. What somebody
    else put there meanwhile stays. Raises FileTrouble, OSError."""
    name, leaf = names
    if rename(folder.fd, name, leaf, "exchange"):
        if not _is(os.stat(name, dir_fd=folder.fd, follow_symlinks=False), status):
            os.replace(name, leaf, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
            raise FileTrouble(_CHANGED.format(located.shown))
        return
    if not _is(os.stat(leaf, dir_fd=folder.fd, follow_symlinks=False), status):
        raise FileTrouble(_CHANGED.format(located.shown))
    os.replace(name, leaf, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)


def _is(one: os.stat_result, other: os.stat_result) -> bool:
    """The same file with the same bytes, as far as can be told from outside."""
    return (one.st_dev, one.st_ino, one.st_mtime_ns, one.st_size) == (
        other.st_dev,
        other.st_ino,
        other.st_mtime_ns,
        other.st_size,
    )


def _status(folder: Held, leaf: str, located: Located) -> os.stat_result | None:
    """None = there is no such file."""
    try:
        status = os.stat(leaf, dir_fd=folder.fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsFolder(f"{located.shown} is a folder. Name a file in it.")
    if stat.S_ISREG(status.st_mode):
        return status
    kind = "a symbolic link now" if stat.S_ISLNK(status.st_mode) else "no ordinary file"
    raise FileTrouble(f"{located.shown} is {kind}. Nothing was changed.")


@contextmanager
def _filled(folder: Held, data: bytes, mode: int, finish: Callable[[int], None]) -> Iterator[str]:
    """A new file of these bytes, on the disk; whatever has its name at the end is removed.

    Where the system can, it gets that name last of all: who is killed meanwhile leaves nothing.
    """
    name = folder.name(f".qcode-{secrets.token_hex(6)}.tmp")
    try:
        if not _nameless(folder, name, data, mode, finish):
            _fill(os.open(name, _NEW, mode, dir_fd=folder.fd), data, finish, lambda new: None)
        yield name
    finally:
        with suppress(OSError):  # after a rename there is none
            os.unlink(name, dir_fd=folder.fd)


def _nameless(
    folder: Held, name: str, data: bytes, mode: int, finish: Callable[[int], None]
) -> bool:
    """False = a file without a name cannot be had, or cannot be named, here."""
    if not _NAMELESS or folder.fd is None:
        return False
    try:
        new = os.open(".", os.O_WRONLY | _NAMELESS, mode, dir_fd=folder.fd)
    except OSError:  # this file system; if it is for good, the other way says so
        return False
    named = []

    def put_down(descriptor: int) -> None:
        with suppress(OSError):  # no /proc
            os.link(f"/proc/self/fd/{descriptor}", name, dst_dir_fd=folder.fd)
            named.append(name)

    _fill(new, data, finish, put_down)
    return bool(named)


def _fill(
    descriptor: int, data: bytes, finish: Callable[[int], None], last: Callable[[int], None]
) -> None:
    try:
        _write(descriptor, data)
        finish(descriptor)
        os.fsync(descriptor)
        last(descriptor)
    finally:
        os.close(descriptor)


def _flush(folder: Held) -> None:
    if folder.fd is not None:
        with suppress(OSError):  # some file systems cannot flush a folder; the file itself is safe
            os.fsync(folder.fd)


def _inherit(descriptor: int, old: int, status: os.stat_result) -> None:
    """Owner where permitted, extended attributes (access lists among them), mode."""
    if hasattr(os, "fchown"):
        for owner, group in ((status.st_uid, -1), (-1, status.st_gid)):
            with suppress(OSError):  # only root may give a file away
                os.fchown(descriptor, owner, group)
    if sys.platform == "darwin":
        _attributes_of_macos(descriptor, old)
    elif hasattr(os, "listxattr"):
        with suppress(OSError):  # a file system without them
            for name in os.listxattr(old):
                with suppress(OSError):  # some, such as security.*, need privileges
                    os.setxattr(descriptor, name, os.getxattr(old, name))
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))


def _attributes_of_macos(descriptor: int, old: int) -> None:
    """Extended attributes and access lists. Python has no functions for them there."""
    import ctypes  # noqa: PLC0415 - only on macOS, and only where a file is replaced

    access_lists, attributes = 1 << 0, 1 << 2  # copyfile.h
    with suppress(OSError, AttributeError):  # a file system without them
        ctypes.CDLL(None).fcopyfile(old, descriptor, None, access_lists | attributes)


def overwrite(descriptor: int, data: bytes, old: bytes) -> None:
    """In place, without emptying first: the old bytes keep their room on a full disk. Raises
    OSError; then they stand there again."""
    try:
        _overwrite(descriptor, data)
    except OSError:
        _overwrite(descriptor, old)
        raise


def _overwrite(descriptor: int, data: bytes) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    _write(descriptor, data)
    os.ftruncate(descriptor, len(data))
    os.fsync(descriptor)


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _all(descriptor: int, size: int) -> bytes:
    pieces = []
    while size > 0 and (piece := os.read(descriptor, size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
