"""Repositories below the workspace that its own index names, as submodules are named.

Git, asked anything plain above (`git status` by the person, a prompt or an editor), asks in them as
well, with their own settings. A command inside a fence can make such a repository and add it; a
program that its settings name would then run outside.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from qcode.permission.repository import LARGEST, settings
from qcode.sandbox.repository import is_taken
from qcode.workspace.ignore import git_folder
from qcode.workspace.submodules import LARGEST as LARGEST_INDEX
from qcode.workspace.submodules import MOST, Unseen, files, submodules

_WORKTREE = re.compile(r"^\s*worktree\s*=[^\n]*$", re.MULTILINE)
"""Git's own line in the settings of a submodule."""
_LARGEST = 4 * LARGEST_INDEX
"""Of all that belong to one repository."""
_UNSEEN = (
    "The index of your repository cannot be looked at: it names too many submodules, or is not as "
    "git writes it. `git status` would ask in each of them. Look at it before you ask git anything "
    "here: move .git/index away, and `git reset` makes it anew."
)


class Nested:
    """What stood there at the start is the person's; what appears or changes is a command's."""

    def __init__(self, folder: Path) -> None:
        above = (at for at in (folder, *folder.parents) if is_taken(at / ".git"))
        self._folder, self._top = folder, next(above, None)
        self._stamp: tuple[int, ...] = ()
        self._paths: list[str] = []
        self._read: dict[str, tuple[tuple[int, ...], str]] = {}
        """Path -> its settings, and when they were that: a look must be cheap."""
        self._unseen = False
        self._known = dict(self._found())
        self._was_unseen = self._unseen

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
                    f"{doubtful}: `git status` would run what that names. Look at its config "
                    "before you ask git anything here."
                )
        self._known |= now
        return _UNSEEN if self._unseen and not self._was_unseen else ""

    def _found(self) -> Iterator[tuple[str, str]]:
        """Path from the top, and the settings there."""
        if not is_taken(self._folder / ".git") and _is_bare(self._folder):
            yield self._folder.name, _text(self._folder / "config")
        if self._top is None:
            return
        indexes = files(Path(git_folder(str(self._top))))
        if (stamp := tuple(one for file in indexes for one in _stamp(file))) != self._stamp:
            named = _named(indexes) if sum(stamp[2::5]) <= _LARGEST else None
            self._stamp, self._paths, self._unseen = stamp, named or [], named is None
        for path in self._paths:
            config = Path(git_folder(str(self._top / path))) / "config"
            stamp = _stamp(config)
            if not stamp and not os.path.lexists(config):
                continue
            if not stamp or self._read.get(path, ((), ""))[0] != stamp:
                self._read[path] = stamp, _text(config)
            yield path, self._read[path][1]


def _named(indexes: Iterable[Path]) -> list[str] | None:
    """None = they cannot be looked at."""
    found: dict[str, None] = {}
    try:
        for file in indexes:
            found |= dict.fromkeys(submodules(file))
    except Unseen:
        return None
    return list(found) if len(found) <= MOST else None


def _is_bare(folder: Path) -> bool:
    """Does git take the folder itself for a repository, by what lies in it?"""
    return all(os.path.lexists(folder / name) for name in ("HEAD", "objects", "refs"))


def _stamp(file: Path) -> tuple[int, ...]:
    """Another one when the file is, whatever time somebody gave it; empty = it is not there."""
    try:
        status = file.stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _text(config: Path) -> str:
    """What cannot be read as settings is doubtful."""
    try:
        if config.is_file() and config.stat().st_size <= LARGEST:
            return config.read_text("utf-8", "replace")
    except OSError:
        pass
    return "it cannot be read"
