"""A folder held open while something in it is replaced.

Between a path's check and its use somebody may put a link in its way. So the folder is opened
first, then the system is asked where that folder really is, and from then on names are looked up
in it alone.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from qcode.workspace.trouble import FileTrouble

_HOLDS = {os.open, os.stat, os.unlink, os.rename, os.mkdir} <= os.supports_dir_fd


@dataclass(frozen=True, slots=True)
class Held:
    """A folder, open."""

    path: Path
    fd: int | None
    """None = this system (Windows) cannot look names up in an open folder."""

    def name(self, leaf: str) -> str:
        """What to pass, together with `fd`, to a function that takes `dir_fd`."""
        return leaf if self.fd is not None else str(self.path / leaf)


@contextmanager
def held(folder: Path) -> Iterator[Held]:
    """Hold `folder`, a real path. Raises OSError, and FileTrouble when it leads elsewhere now."""
    if not _HOLDS:
        yield Held(folder, None)
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if not _is_at(fd, folder):
            raise FileTrouble(f"{folder} leads elsewhere than a moment ago. Nothing was changed.")
        yield Held(folder, fd)
    finally:
        os.close(fd)


def make_folders(folder: Path) -> None:
    """Make `folder` and those above it that are missing, through no link. Raises as `held` does."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    names = folder.relative_to(there).parts
    if not _HOLDS:
        folder.mkdir(parents=True, exist_ok=True)
    elif names:
        with held(there) as start:
            _make(start.fd, names)


def _make(fd: int | None, names: Sequence[str]) -> None:
    """A chain of folders, each opened in the one before."""
    if not names:
        return
    with suppress(FileExistsError):  # made meanwhile; if it is no folder, opening says so
        os.mkdir(names[0], dir_fd=fd)
    inner = os.open(names[0], os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
    try:
        _make(inner, names[1:])
    finally:
        os.close(inner)


def _is_at(fd: int, folder: Path) -> bool:
    """True when the open folder is really the one at `folder`, reached without a link."""
    try:
        if sys.platform == "darwin":
            from fcntl import F_GETPATH, fcntl  # noqa: PLC0415 - there is no fcntl on Windows

            found = os.fsdecode(fcntl(fd, F_GETPATH, bytes(1024)).rstrip(b"\0"))
            return folder.samefile(found) and not _links(folder)
        return Path(f"/proc/self/fd/{fd}").readlink() == folder
    except OSError:  # no /proc: two looks instead of one answer
        here, there = os.fstat(fd), os.lstat(folder)
        return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino) and not _links(folder)


def _links(folder: Path) -> bool:
    return os.path.realpath(folder) != str(folder)
