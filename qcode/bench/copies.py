"""Copies of the repository in folders of their own: what an agent gets, and what is judged.

What an agent leaves is taken into a fresh copy, less tests and what steers them: an agent that
edits the tests, or what runs them, has edited nothing that counts.
"""

import hashlib
import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

import msgspec

from qcode.bench.process import Ran, run
from qcode.bench.repository import Entry, Repository, clear, export, put
from qcode.bench.roles import is_protected
from qcode.bench.task import Task
from qcode.bench.unbroken import unbroken
from qcode.protocol.errors import InputError
from qcode.protocol.text import plain
from qcode.sandbox.environment import child_environment
from qcode.sandbox.process import shell_words

_SKIPPED = frozenset(
    {
        *(".git", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"),
        *("node_modules", "target", ".venv", "venv", ".tox", ".nox", ".gradle", "build", "dist"),
    }
)
"""Folders that tools fill; what stands there is made, not written. Names that the repository
itself has files below are looked at all the same."""
_MOST_BYTES = 64 << 20
_PREPARE_SECONDS = 1800.0
_TAIL = 4000

State = Mapping[str, str]
"""Path -> a hash of what stands there, or where the link leads."""


class Judge(msgspec.Struct, frozen=True):
    """How the tests of a copy are run."""

    command: str
    prepare: str
    fenced: tuple[str, ...]
    """Words in front of a line for the shell that run it inside the fence; empty = there is none,
    and the person said so."""
    limit_seconds: float

    def ready(self, folder: Path) -> None:
        """Run what prepares a fresh copy. Raises InputError where it fails."""
        if not self.prepare:
            return
        ran = self._run(self.prepare, folder, _PREPARE_SECONDS)
        if ran.code != 0:
            how = "took too long" if ran.code is None else f"ended with {ran.code}"
            raise InputError(f"--prepare {how} in a fresh copy. It said: {tail(ran)}")

    def run(self, folder: Path) -> Ran:
        """Run the tests of a copy.

        Without byte code: Python would take a file for unchanged that is as long as before and was
        written in the same second.
        """
        line = f"export PYTHONDONTWRITEBYTECODE=1\n{self.command}"
        return self._run(line, folder, self.limit_seconds)

    def first(self, folder: Path) -> Ran:
        """The same, and Python leaves its byte code, for `reach`."""
        return self._run(self.command, folder, self.limit_seconds)

    def _run(self, line: str, folder: Path, limit_seconds: float) -> Ran:
        # the copy stands before what is installed of it
        path = shlex.quote(f"{folder}:{folder / 'src'}")
        text = f"export PYTHONPATH={path}\n{line}"
        words = (*self.fenced, text) if self.fenced else shell_words(text)
        # what a model wrote runs here: no key of the person's is in its variables
        return run(words, folder, limit_seconds, None if self.fenced else _variables())


def _variables() -> Mapping[str, str]:
    return child_environment(os.environ, {})


def tail(ran: Ran) -> str:
    """The end of what it printed, which steers no terminal."""
    return plain(ran.out + ran.err).strip()[-_TAIL:]


class Copies:
    """Makes copies of one repository."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.entries: Callable[[str], list[Entry]] = lru_cache(maxsize=64)(repository.entries)

    def lay(self, task: Task, folder: Path) -> None:
        """The files that a task begins with."""
        entries = self.entries(task.commit)
        export(self.repository, entries, folder)
        if swap := task.swap:
            [mode] = [it.mode for it in entries if it.path == swap.path]
            path = folder / swap.path
            put(folder, swap.path, swap.applied(path.read_bytes()), mode)
        self.revert(task, folder)

    def revert(self, task: Task, folder: Path) -> None:
        """Files as they were before the commit that is to be done again."""
        if not task.reverted:
            return
        before = {it.path: it for it in self.entries(f"{task.commit}^")}
        there = [before[path] for path in task.reverted if path in before]
        for path in set(task.reverted) - before.keys():
            clear(folder, path)
        export(self.repository, there, folder)

    def bring_back(self, task: Task, folder: Path) -> None:
        """Files as the commit left them, over those before it."""
        after = {it.path: it for it in self.entries(task.commit)}
        for path in task.reverted:
            clear(folder, path)
        export(self.repository, [after[it] for it in task.reverted if it in after], folder)

    def own_folders(self, commit: str) -> frozenset[str]:
        """Names of folders that the repository itself has files below."""
        return frozenset(part for it in self.entries(commit) for part in it.path.split("/")[:-1])


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """A folder for a copy, gone afterwards whatever an agent did to its rights."""
    made: Path | None = None
    try:
        with unbroken():
            made = Path(tempfile.mkdtemp(prefix="qcode-bench-")).resolve()
        inner = made / name
        inner.mkdir()
        yield inner
    finally:
        with unbroken():
            if made:
                _remove(made)


def _remove(made: Path) -> None:
    _open_up(made)
    shutil.rmtree(made, ignore_errors=True)


def _open_up(made: Path) -> None:
    """Folders that nobody may list, or take something out of, are the owner's again: each before
    it is looked into. Where links lead stays as it is."""
    made.chmod(0o700)
    for path, names, _ in os.walk(made):
        for below in (Path(path, name) for name in names):
            with suppress(OSError):
                if not below.is_symlink():
                    below.chmod(0o700)


def state(folder: Path, own: frozenset[str]) -> State:
    """All files and links of a copy, but for those that tools make. What an agent has taken the
    rights of is given them back; where it has put a link for the copy, there is nothing."""
    if folder.is_symlink() or not folder.is_dir():
        return {}
    _open_up(folder)
    return {path.relative_to(folder).as_posix(): _mark(path) for path in _files(folder, own)}


def _files(folder: Path, own: frozenset[str]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            yield path
        elif path.is_dir():
            if path.name != ".git" and (path.name not in _SKIPPED or path.name in own):
                yield from _files(path, own)
        elif path.is_file() and path.stat().st_size <= _MOST_BYTES:  # no pipes, no sockets
            yield path


def _mark(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    try:
        data = path.read_bytes()
    except PermissionError:
        path.chmod(0o600)
        data = path.read_bytes()
    return hashlib.sha256(data).hexdigest()


class Left(msgspec.Struct, frozen=True):
    """What an agent left otherwise than it was."""

    counted: tuple[str, ...]
    restored: tuple[str, ...]
    """Tests and what steers them: not taken over."""


def compared(before: State, after: State, task: Task) -> Left:
    """What changed, was made or is gone. A file that the task itself took back counts as code."""
    unlike = sorted(
        path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    )
    kept = [path for path in unlike if is_protected(path) and path not in task.reverted]
    return Left(tuple(it for it in unlike if it not in kept), tuple(kept))


def take_over(paths: tuple[str, ...], source: Path, target: Path) -> None:
    """Bring files of one copy into another: links as links, what is gone as gone."""
    for path in paths:
        old, new = source / path, target / path
        if not _is_way_free(new.parent, target):
            continue  # the agent made a folder of what is a file, or a link, here
        if new.is_symlink() or new.is_file():
            new.unlink()
        if (old.is_symlink() or old.is_file()) and not new.is_dir():
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(old, new, follow_symlinks=False)


def _is_way_free(folder: Path, top: Path) -> bool:
    """No file and no link stands where a folder is to be, up to the top."""
    while folder != top:
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            return False
        folder = folder.parent
    return True
