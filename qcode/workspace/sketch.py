"""A small picture of the workspace for the first message: bounded in rows, depth and work, so that
a large repository costs no more than a small one."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from qcode.protocol.text import plain, well_formed
from qcode.workspace.ignore import Bounds, Stack, enter, ignored, outer

ROWS = 60
_READ_ENTRIES = 1000
"""Of a folder that holds more, only so many are looked at."""
_CHILDREN = 12
"""Shown of each folder within the root."""


def sketch(root: Path, exclude: tuple[str, ...] = (), rows: int = ROWS) -> str:
    """Files and folders of `root` and one level below, without what git ignores or `exclude` names.

    One row each, folders with a slash at their end; empty = nothing is there. The same for the
    same files, unless a folder holds more than 1,000 entries.
    """
    root = Path(os.path.realpath(root))
    stack = enter(outer(root, Bounds(root, exclude)), str(root))
    top = _entries(str(root), stack)
    made: list[str] = []
    room = max(0, rows - len(top))
    for name, is_folder in top[:rows]:
        made.append(f"{name}/" if is_folder else name)
        inside = list(_inside(f"{root}/{name}", stack)) if is_folder and room > 0 else []
        made += inside[:room]
        room -= len(inside[:room])
    if len(top) > rows:
        made.append(f"… and {_more(len(top), rows)}")
    return "\n".join(plain(well_formed(row)) for row in made)


def _inside(folder: str, stack: Stack) -> Iterator[str]:
    entries = _entries(folder, enter(stack, folder))
    for name, is_folder in entries[:_CHILDREN]:
        yield f"  {name}/" if is_folder else f"  {name}"
    if len(entries) > _CHILDREN:
        yield f"  … and {_more(len(entries), _CHILDREN)}"


def _more(count: int, shown: int) -> str:
    return f"{count - shown} more" if count < _READ_ENTRIES else "many more"


def _entries(folder: str, stack: Stack) -> list[tuple[str, bool]]:
    """(name, is a folder) of what git does not ignore, folders first."""
    try:
        with os.scandir(folder) as found:
            some = [
                (entry.name, entry.is_dir(follow_symlinks=False))
                for entry in islice(found, _READ_ENTRIES)
            ]
    except OSError:
        return []
    kept = [
        (name, is_folder)
        for name, is_folder in some
        if name != ".git" and not ignored(stack, f"{folder}/{name}", name, folder=is_folder)
    ]
    return sorted(kept, key=lambda entry: (not entry[1], entry[0]))
