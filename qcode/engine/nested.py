"""Repositories below the workspace that its own index names, as submodules are named.

Git, asked anything plain above (`git status` by the person, a prompt or an editor), asks in them as
well, with their own settings. A command inside a fence can make such a repository and add it; a
program that its settings name would then run outside.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from qcode.permission.repository import LARGEST, settings
from qcode.workspace.ignore import git_folder, repository

_ENTRY = re.compile(rb"\x00\x00\xe0\x00.{32}(.)(.)", re.DOTALL)
"""Of an index: the mode of a submodule; owner, size and name of its commit; two bytes of flags."""
_EXTENDED = 0x40
_LARGEST_INDEX = 64 * 1024 * 1024
_WORKTREE = re.compile(r"^\s*worktree\s*=[^\n]*$", re.MULTILINE)
"""Git's own line in the settings of a submodule."""


class Nested:
    """What stood there at the start is the person's; what appears or changes then is a command's.

    Not seen: names in an index of version 4, which are packed.
    """

    def __init__(self, folder: Path) -> None:
        self._top = repository(folder)
        self._stamp: tuple[int, ...] = ()
        self._paths: list[str] = []
        self._read: dict[str, tuple[tuple[int, ...], str]] = {}
        """Path -> its settings, and when they were that: a look must be cheap."""
        self._known = dict(self._found())

    def look(self) -> str:
        """A sentence on the first that could run a program; empty = there is none."""
        now = dict(self._found())
        for path, said in now.items():
            if self._known.get(path) == said:
                continue
            doubtful = settings(_WORKTREE.sub("", said)).doubtful
            if doubtful:
                return (
                    f"{path} became a repository inside of yours, and its settings have "
                    f"{doubtful}: `git status` would run what that names. Look at "
                    f"{path}/.git before you ask git anything here."
                )
        self._known |= now
        return ""

    def _found(self) -> Iterator[tuple[str, str]]:
        """Path from the top, and the settings there."""
        if self._top is None:
            return
        index = Path(git_folder(str(self._top)), "index")
        if (stamp := _stamp(index)) != self._stamp:
            self._stamp, self._paths = stamp, _paths(index)
        for path in self._paths:
            config = Path(git_folder(str(self._top / path))) / "config"
            stamp = _stamp(config)
            if not stamp and not os.path.lexists(config):
                continue
            if not stamp or self._read.get(path, ((), ""))[0] != stamp:
                self._read[path] = stamp, _text(config)
            yield path, self._read[path][1]


def _stamp(file: Path) -> tuple[int, ...]:
    """Another one when the file is, whatever time somebody gave it; empty = it is not there."""
    try:
        status = file.stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _paths(index: Path) -> list[str]:
    """Of submodules in an index, and what only looks like one."""
    try:
        if not index.is_file() or index.stat().st_size > _LARGEST_INDEX:
            return []
        data = index.read_bytes()
    except OSError:
        return []
    starts = (found.end() + 2 * bool(found[1][0] & _EXTENDED) for found in _ENTRY.finditer(data))
    names = (data[start : data.find(b"\0", start)] for start in starts)
    return [os.fsdecode(name) for name in dict.fromkeys(names) if 0 < len(name) < 4096]


def _text(config: Path) -> str:
    """What cannot be read as settings is doubtful."""
    try:
        if config.is_file() and config.stat().st_size <= LARGEST:
            return config.read_text("utf-8", "replace")
    except OSError:
        pass
    return "it cannot be read"
