"""Stands in for protected names that do not exist, while commands run that could make them.

A mount needs something to be mounted on. An empty folder disturbs least: git neither lists nor adds
it. The last fence around a workspace to end takes them away; each holds a lock on the folder until
its last process has ended, so that none loses what it is mounted on. What a killed qcode left is
known by its time and rights, and taken away by the next one.
"""

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from qcode.sandbox import repository
from qcode.sandbox.names import HOME_NAMES, NAMES, REDIRECTIONS

if sys.platform != "win32":
    import fcntl

MARK_SECONDS = 86_399
"""Time of change of each: 1970-01-01T23:59:59Z. Nothing else has it, and any use changes it."""
_FOLDER_RIGHTS = 0o555
_FILE_RIGHTS = 0o444


def hold(folder: Path) -> int:
    """A descriptor with a shared lock; while it or a copy of it is open nothing is swept.

    Raises OSError.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def place(held: int, missing: tuple[str, ...]) -> None:
    """Make them below the folder that `held` is. Raises OSError."""
    for name in missing:
        with suppress(FileExistsError):  # another qcode was faster
            _make(held, name)


def sweep(folder: Path) -> None:
    """Take away what was placed, unless a fence still stands. Never raises."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for name in _candidates():
                _take_away(descriptor, name)
        finally:
            os.close(descriptor)


def stands_in(found: os.stat_result) -> bool:
    """Whether it is one of them, of this or another qcode: not to be built on."""
    return found.st_mtime == MARK_SECONDS and found.st_uid == os.getuid()


def _candidates() -> list[str]:
    """Every prefix of every name, the longest first."""
    names = {*NAMES, *HOME_NAMES, *repository.NAMES, "HEAD"}
    prefixes = {"/".join(parts[:end]) for parts in map(_parts, names) for end in _ends(parts)}
    return sorted(prefixes, key=len, reverse=True)


def _parts(name: str) -> list[str]:
    return name.split("/")


def _ends(parts: list[str]) -> range:
    return range(1, len(parts) + 1)


def _make(held: int, name: str) -> None:
    text = REDIRECTIONS.get(name)
    if text is None:
        os.mkdir(name, _FOLDER_RIGHTS, dir_fd=held)
    else:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(name, flags, _FILE_RIGHTS, dir_fd=held), "w") as file:
            file.write(text)
    os.utime(name, (MARK_SECONDS, MARK_SECONDS), dir_fd=held, follow_symlinks=False)


def _take_away(held: int, name: str) -> None:
    with suppress(OSError):
        found = os.stat(name, dir_fd=held, follow_symlinks=False)
        if not stands_in(found):
            return
        if stat.S_ISDIR(found.st_mode):
            os.rmdir(name, dir_fd=held)
        elif stat.S_ISREG(found.st_mode) and name in REDIRECTIONS:
            os.unlink(name, dir_fd=held)
