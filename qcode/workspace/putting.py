"""Make a path what it was: bytes, mode, link or folder. Nothing is reached through a link, and what
somebody else changes at that very moment stays."""

import os
import secrets
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from qcode.workspace.held import Held, held, make_folders
from qcode.workspace.kept import ABSENT, Entry
from qcode.workspace.renaming import rename
from qcode.workspace.save import overwrite
from qcode.workspace.shadow import named
from qcode.workspace.trouble import FileTrouble

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_OLD = os.O_RDWR
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
    _OLD |= getattr(os, _flag, 0)
_READ = _OLD & ~os.O_RDWR
_MEANWHILE = "it was changed at this very moment"


class Step(msgspec.Struct, frozen=True):
    """One path's way."""

    path: Path
    now: Entry
    target: Entry
    data: bytes = b""
    """Of a file."""


def carry_out(steps: Sequence[Step]) -> dict[Path, str]:
    """Take all steps; why some could not be taken, by their path."""
    failed: dict[Path, str] = {}

    def each(steps: Sequence[Step], do: Callable[[Step], None]) -> None:
        for step in steps:
            try:
                do(step)
            except (OSError, ValueError, FileTrouble) as error:
                failed[step.path] = getattr(error, "strerror", None) or str(error)

    ways = sorted(steps, key=lambda step: len(step.path.parts))
    each([s for s in reversed(ways) if _goes(s) and s.now.kind != "folder"], _remove)
    each([s for s in reversed(ways) if _goes(s) and s.now.kind == "folder"], _remove_folder)
    wanted = [s for s in ways if s.path not in failed]
    each([s for s in wanted if s.target.kind == "folder" and s.now.kind != "folder"], _make_folder)
    each([s for s in wanted if s.target.kind in ("file", "link")], _put)
    folders = [s for s in reversed(ways) if s.target.kind == "folder" and s.path not in failed]
    each(folders, _set_folder_mode)
    if wanted and hasattr(os, "sync"):
        os.sync()  # once: to flush each of 20,000 files takes minutes
    return failed


def _goes(step: Step) -> bool:
    """What stands there must leave first; a file over a file is replaced at once."""
    if step.now.kind == "absent":
        return False
    both = {step.now.kind, step.target.kind}
    return step.target.kind == "absent" or ("folder" in both and len(both) > 1)


def _remove(step: Step) -> None:
    with held(step.path.parent) as folder:
        _check(folder, folder.name(step.path.name), step.now)
        os.unlink(folder.name(step.path.name), dir_fd=folder.fd)


def _remove_folder(step: Step) -> None:
    with held(step.path.parent) as folder:
        os.rmdir(folder.name(step.path.name), dir_fd=folder.fd)


def _make_folder(step: Step) -> None:
    make_folders(step.path)


def _set_folder_mode(step: Step) -> None:
    """Last of all: a folder that may not be written must be filled first."""
    if stat.S_IMODE(os.lstat(step.path).st_mode) == step.target.mode:
        return
    with held(step.path) as folder:
        if folder.fd is not None:
            os.fchmod(folder.fd, step.target.mode)


def _put(step: Step) -> None:
    make_folders(step.path.parent)
    with held(step.path.parent) as folder:
        leaf = folder.name(step.path.name)
        status = _check(folder, leaf, ABSENT if _goes(step) else step.now)
        many = status is not None and stat.S_ISREG(status.st_mode) and status.st_nlink > 1
        if many and step.target.kind == "file":  # hard links: all of them are to see the bytes
            _in_place(folder, leaf, step)
            return
        new = folder.name(f".qcode-{secrets.token_hex(6)}.tmp")
        try:
            if step.target.kind == "link":
                os.symlink(os.fsdecode(step.target.content), new, dir_fd=folder.fd)
            else:
                _write(folder, new, step)
            _take_place(folder, new, leaf, status)
        finally:
            with suppress(OSError):  # after a rename there is none
                os.unlink(new, dir_fd=folder.fd)


def _take_place(folder: Held, new: str, leaf: str, status: os.stat_result | None) -> None:
    """The name of the old one, which is looked at once more when it is out."""
    if status is None and rename(folder.fd, new, leaf, "new"):
        return
    if status is not None and rename(folder.fd, new, leaf, "exchange"):
        out = os.stat(new, dir_fd=folder.fd, follow_symlinks=False)
        if (out.st_ino, out.st_mtime_ns, out.st_size) != (
            status.st_ino,
            status.st_mtime_ns,
            status.st_size,
        ):
            os.replace(new, leaf, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
            raise FileTrouble(_MEANWHILE)
        return
    os.replace(new, leaf, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)


def _check(folder: Held, leaf: str, now: Entry) -> os.stat_result | None:
    """What stands there is what was looked at, and kept; None = nothing is to. Raises
    FileTrouble."""
    try:
        status = os.stat(leaf, dir_fd=folder.fd, follow_symlinks=False)
    except FileNotFoundError:
        if now.kind == "absent":
            return None
        raise
    kind = stat.S_IFMT(status.st_mode)
    if now.kind == "absent" or kind != {"file": stat.S_IFREG, "link": stat.S_IFLNK}.get(now.kind):
        if now.kind == "folder" and kind == stat.S_IFDIR:
            return status
        raise FileTrouble(_MEANWHILE)
    if now.kind == "link":
        if os.readlink(os.fsencode(leaf), dir_fd=folder.fd) != now.content:
            raise FileTrouble(_MEANWHILE)
    elif status.st_size != now.size or named(_bytes(folder, leaf)) != _digest(now):
        raise FileTrouble(_MEANWHILE)
    return status


def _digest(entry: Entry) -> str:
    return entry.content.partition(b"@")[0].decode()


def _bytes(folder: Held, leaf: str) -> bytes:
    descriptor = os.open(leaf, _READ, dir_fd=folder.fd)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _in_place(folder: Held, leaf: str, step: Step) -> None:
    descriptor = os.open(leaf, _OLD, dir_fd=folder.fd)
    try:
        with os.fdopen(os.dup(descriptor), "rb") as file:
            old = file.read()
        overwrite(descriptor, step.data, old)
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, step.target.mode)
    finally:
        os.close(descriptor)


def _write(folder: Held, new: str, step: Step) -> None:
    descriptor = os.open(new, _NEW, 0o600, dir_fd=folder.fd)
    try:
        rest = memoryview(step.data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, step.target.mode)
    finally:
        os.close(descriptor)
