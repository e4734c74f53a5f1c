"""Bytes onto the disk, for the owner's eyes only."""

import os
from contextlib import suppress
from pathlib import Path

NEW_FILE = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
"""Flags for `os.open`; only Windows has the last one."""


def private_folder(folder: Path) -> None:
    """Make `folder` and what is missing above it, closed to others (0700)."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte: the system may take only a part at a time."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def write_new(path: Path, data: bytes) -> None:
    """A new private file that holds `data` and is on the disk; nothing stays of it on failure."""
    descriptor = os.open(path, NEW_FILE, 0o600)
    try:
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        path.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """The names in `folder` are on the disk when this returns, where the system can do that."""
    with suppress(OSError):  # Windows opens no folders, and some file systems do not sync them
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
