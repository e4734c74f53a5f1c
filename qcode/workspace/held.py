"""A folder held open while something in it is replaced.

Between a path's check and its use somebody may put a link in its way. So the folder is opened
first, without following any (`straight`), and from then on names are looked up in it alone.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import msgspec

from qcode.workspace.straight import WALKS, open_straight
from qcode.workspace.trouble import FileTrouble

_HOLDS = WALKS and {os.stat, os.unlink, os.rename, os.mkdir} <= os.supports_dir_fd
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)


class Held(msgspec.Struct, frozen=True):
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
    try:
        fd = open_straight(folder, _FOLDER)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        words = f"{folder} leads elsewhere than a moment ago. Nothing was changed."
        raise FileTrouble(words) from error
    try:
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
        with held(there) as start, ExitStack() as opened:
            _make(start, names, opened)


def _make(start: Held, names: Sequence[str], opened: ExitStack) -> None:
    """A chain of folders, each opened in the one before."""
    fd = start.fd
    for name in names:
        with suppress(FileExistsError):  # made meanwhile; if it is no folder, opening says so
            os.mkdir(name, dir_fd=fd)
        fd = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=fd)
        opened.callback(os.close, fd)
