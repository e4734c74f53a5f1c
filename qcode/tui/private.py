"""Folders for what only the person may read."""

from pathlib import Path


def make(folder: Path) -> None:
    """`folder`, and those above it that are missing, all 0700: `mkdir(parents=True)` would make
    them for everybody to read. Raises OSError."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
