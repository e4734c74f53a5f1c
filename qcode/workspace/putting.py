"""Make a path what it was: bytes, mode, link or folder. Nothing is reached through a link."""

import os
import secrets
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qcode.workspace.held import Held, held, make_folders
from qcode.workspace.kept import Entry
from qcode.workspace.trouble import FileTrouble

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_OLD = os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Step:
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
    return failed


def _goes(step: Step) -> bool:
    """What stands there must leave first; a file over a file is replaced at once."""
    if step.now.kind == "absent":
        return False
    both = {step.now.kind, step.target.kind}
    return step.target.kind == "absent" or ("folder" in both and len(both) > 1)


def _remove(step: Step) -> None:
    with held(step.path.parent) as folder:
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
        if step.target.kind == "file" and _has_names(folder, leaf):
            _in_place(folder, leaf, step)
            return
        new = folder.name(f".qcode-{secrets.token_hex(6)}.tmp")
        try:
            if step.target.kind == "link":
                os.symlink(os.fsdecode(step.target.content), new, dir_fd=folder.fd)
            else:
                _write(folder, new, step)
            os.replace(new, leaf, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
        except BaseException:
            with suppress(OSError):
                os.unlink(new, dir_fd=folder.fd)
            raise


def _has_names(folder: Held, leaf: str) -> bool:
    """Hard links: all of them are to see the bytes."""
    try:
        status = os.stat(leaf, dir_fd=folder.fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_nlink > 1


def _in_place(folder: Held, leaf: str, step: Step) -> None:
    _fill(os.open(leaf, _OLD | os.O_TRUNC, dir_fd=folder.fd), step)


def _write(folder: Held, new: str, step: Step) -> None:
    _fill(os.open(new, _NEW, 0o600, dir_fd=folder.fd), step)


def _fill(descriptor: int, step: Step) -> None:
    try:
        rest = memoryview(step.data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, step.target.mode)
    finally:
        os.close(descriptor)
