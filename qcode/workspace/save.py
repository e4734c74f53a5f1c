"""Replace the bytes of a file: all of them or none.

A temporary file in the same folder, flushed to the disk, takes the old one's place; mode, owner
and extended attributes go with it. A file with several names (hard links) is written in place, so
that all of them see the change: the old bytes are put back when that fails.
"""

import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from qcode.workspace.files import Loaded, Located, digest, load
from qcode.workspace.held import Held, held, make_folders
from qcode.workspace.trouble import FileTrouble, IsFolder, trouble

_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)  # Windows lacks the first
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE
_OLD = os.O_RDWR | _SAFE


def save(located: Located, data: bytes, was: Loaded | None) -> str:
    """Write `data`; returns its digest. Raises FileTrouble, and then nothing was changed.

    `was`: the file as it was loaded; if it is another by now, it is left alone. None = there was
    none: folders on the way are made, and a file that came up meanwhile is left alone.
    """
    try:
        if was is None:
            make_folders(located.path.parent)
        with held(located.path.parent) as folder:
            _replace(folder, located, data, was)
    except (OSError, ValueError) as error:
        raise trouble(error, located.shown, "write") from error
    return digest(data)


def _replace(folder: Held, located: Located, data: bytes, was: Loaded | None) -> None:
    leaf = folder.name(located.path.name)
    status = _status(folder, leaf, located)
    _unchanged(status, located, was)
    if status is None:
        _swap(folder, leaf, data, None)
        return
    os.close(os.open(leaf, _OLD, dir_fd=folder.fd))  # a write-protected file says so here
    if status.st_nlink > 1:
        _in_place(folder, leaf, data)
    else:
        _swap(folder, leaf, data, status)


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


def _unchanged(status: os.stat_result | None, located: Located, was: Loaded | None) -> None:
    if status is None and was is None:
        return
    if status is None:
        raise FileTrouble(f"{located.shown} is gone since it was read. Nothing was changed.")
    if was is None:
        raise FileTrouble(f"{located.shown} exists by now. Read it first. Nothing was changed.")
    if (status.st_ino, status.st_mtime_ns) != (was.inode, was.changed):
        if load(located).digest == was.digest:  # touched, or replaced by the same
            return
        raise FileTrouble(f"{located.shown} changed a moment ago. Read it again.")


def _swap(folder: Held, leaf: str, data: bytes, status: os.stat_result | None) -> None:
    """Temporary file, then rename."""
    with _temporary(folder) as name:
        mode = 0o666 if status is None else 0o600
        descriptor = os.open(name, _NEW, mode, dir_fd=folder.fd)
        try:
            _write(descriptor, data)
            if status is not None:
                _inherit(descriptor, folder.path / Path(leaf).name, status)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(name, leaf, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
    if folder.fd is not None:
        with suppress(OSError):  # some file systems cannot flush a folder; the file itself is safe
            os.fsync(folder.fd)


@contextmanager
def _temporary(folder: Held) -> Iterator[str]:
    """A free name; whatever has it at the end is removed."""
    name = folder.name(f".qcode-{secrets.token_hex(6)}.tmp")
    try:
        yield name
    finally:
        with suppress(OSError):  # after the rename there is none
            os.unlink(name, dir_fd=folder.fd)


def _inherit(descriptor: int, old: Path, status: os.stat_result) -> None:
    """Owner where permitted, extended attributes (access lists among them), mode."""
    if hasattr(os, "fchown"):
        for owner, group in ((status.st_uid, -1), (-1, status.st_gid)):
            with suppress(OSError):  # only root may give a file away
                os.fchown(descriptor, owner, group)
    if sys.platform == "darwin":
        _attributes_of_macos(descriptor, old)
    elif hasattr(os, "listxattr"):
        with suppress(OSError):  # a file system without them
            for name in os.listxattr(old, follow_symlinks=False):
                with suppress(OSError):  # some, such as security.*, need privileges
                    os.setxattr(descriptor, name, os.getxattr(old, name, follow_symlinks=False))
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))


def _attributes_of_macos(descriptor: int, old: Path) -> None:
    """Extended attributes and access lists. Python has no functions for them there."""
    import ctypes  # noqa: PLC0415 - only on macOS, and only where a file is replaced

    access_lists, attributes = 1 << 0, 1 << 2  # copyfile.h
    with suppress(OSError, AttributeError):  # a file system without them
        source = os.open(old, os.O_RDONLY | _SAFE)
        try:
            ctypes.CDLL(None).fcopyfile(source, descriptor, None, access_lists | attributes)
        finally:
            os.close(source)


def _in_place(folder: Held, leaf: str, data: bytes) -> None:
    """Overwrite without emptying first: the old bytes keep their room on a full disk."""
    descriptor = os.open(leaf, _OLD, dir_fd=folder.fd)
    try:
        old = _all(descriptor, os.fstat(descriptor).st_size)
        try:
            _overwrite(descriptor, data)
        except OSError:
            _overwrite(descriptor, old)
            raise
    finally:
        os.close(descriptor)


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
