"""The user's repository, which is read and never written: no checkout, no worktree, no index.

Files come out of git's store as they were committed, so that neither filters nor attributes run,
and nothing below `.git` changes, not even a time.
"""

import asyncio
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from qcode.protocol.errors import InputError
from qcode.workspace.git import ask
from qcode.workspace.ignore import repository

_BATCH_BYTES = 32 << 20
_MOST_BYTES = 2 << 30
_LINK = "120000"
_FILES = ("100644", "100755", _LINK)


class Entry(msgspec.Struct, frozen=True):
    """One file of a commit."""

    path: str
    mode: str
    """As git writes it: `100755` may be run, `120000` is a link."""
    blob: str
    size: int


class Changed(msgspec.Struct, frozen=True):
    """One file that a commit changed."""

    path: str
    how: str
    """`A`dded, `D`eleted, `M`odified."""
    lines: int
    """Added and taken away; 0 = it is no text."""


class Repository(msgspec.Struct, frozen=True):
    """A repository by its top folder."""

    top: Path

    @classmethod
    def at(cls, folder: Path) -> "Repository":
        """The one that `folder` lies in. Raises InputError."""
        top = repository(folder.resolve())
        if top is None:
            raise InputError(f"{folder} is in no git repository. --repo DIR names one.")
        return cls(top)

    def head(self) -> str:
        """The commit that is checked out. Raises InputError."""
        try:
            return self._text("rev-parse", "--verify", "HEAD^{commit}").strip()
        except InputError as error:
            raise InputError(f"{self.top} has no commit yet. Tasks are made of commits.") from error

    def unsaved(self) -> int:
        """Files whose state is not committed, new ones among them. The index stays as it is."""
        rows = self._text("status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal")
        return len([row for row in rows.split("\0") if row])

    def commits(self, most: int) -> list[str]:
        """The newest ones with one parent, behind HEAD."""
        options = ("--no-merges", "--min-parents=1", f"--max-count={most}", "--format=%H")
        return self._text("log", *options, "HEAD").split()

    def message(self, commit: str) -> str:
        """As it was written."""
        return self._text("log", "-1", "--format=%B", commit).strip()

    def changed(self, commit: str) -> list[Changed]:
        """Against its parent; a renamed file is one deleted and one added."""
        pair = (f"{commit}^", commit)
        options = ("diff-tree", "-r", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
        told = self._text(*options, "--name-status", *pair).split("\0")
        counts = self._text(*options, "--numstat", *pair).split("\0")
        lines = dict(map(_counted, filter(None, counts)))
        return [
            Changed(path, how, lines.get(path, 0))
            for how, path in zip(told[::2], told[1::2], strict=False)  # the last one is empty
        ]

    def entries(self, commit: str) -> list[Entry]:
        """Its files and links. What git would not check out is left out, as are submodules."""
        rows = self._text("ls-tree", "-r", "-z", "-l", "--full-tree", commit).split("\0")
        found = [_entry(row) for row in rows if row]
        return [it for it in found if it.mode in _FILES and _is_plain(it.path)]

    def read(self, entries: Sequence[Entry]) -> list[bytes]:
        """What stands in them, in order."""
        found: list[bytes] = []
        for batch in _batches(entries):
            found += self._batch(batch)
        return found

    def _batch(self, entries: Sequence[Entry]) -> list[bytes]:
        given = "".join(f"{it.blob}\n" for it in entries).encode()
        limit = sum(it.size + 128 for it in entries)
        out = self._ask(("cat-file", "--batch"), given, limit)
        found, at = [], 0
        for it in entries:
            start = out.index(b"\n", at) + 1
            found.append(out[start : start + it.size])
            at = start + it.size + 1
        return found

    def _text(self, *arguments: str) -> str:
        return self._ask(arguments, b"", _BATCH_BYTES).decode("utf-8", "surrogateescape")

    def _ask(self, arguments: Sequence[str], given: bytes, limit_bytes: int) -> bytes:
        reply = asyncio.run(ask(self.top, arguments, given, limit_bytes))
        if reply.code:
            raise InputError(f"git {arguments[0]} failed in {self.top}: {reply.error}")
        return reply.out


def export(repository: Repository, entries: Sequence[Entry], folder: Path) -> None:
    """Write files as they were committed, then the links."""
    total = sum(it.size for it in entries)
    if total > _MOST_BYTES:
        raise InputError(
            f"{repository.top} has {total >> 20:,} MiB of files; the bench copies it for each "
            f"attempt, and takes no more than {_MOST_BYTES >> 20:,}."
        )
    for batch in _batches(sorted(entries, key=lambda it: it.mode == _LINK)):
        for it, data in zip(batch, repository.read(batch), strict=True):
            put(folder, it.path, data, it.mode)


def put(top: Path, name: str, data: bytes, mode: str = "100644") -> None:
    """One file, or one link, below `top`. No link is written through or gone by: commits and tests
    may have made one of a folder, and this runs outside of the fence."""
    path = clear(top, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if mode == _LINK:
        path.symlink_to(data.decode("utf-8", "surrogateescape"))
        return
    path.write_bytes(data)
    if mode == "100755":
        path.chmod(0o755)


def clear(top: Path, name: str) -> Path:
    """Where it stands below `top`, with nothing there, and no link and no file on the way."""
    path = top
    for part in PurePosixPath(name).parts:
        path = path / part
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            path.unlink()
    if path.is_dir():
        shutil.rmtree(path)
    return path


def _batches(entries: Sequence[Entry]) -> Iterable[Sequence[Entry]]:
    batch: list[Entry] = []
    size = 0
    for it in entries:
        if batch and size + it.size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(it)
        size += it.size
    if batch:
        yield batch


def _entry(row: str) -> Entry:
    head, _, path = row.partition("\t")
    mode, _, blob, size = head.split()
    return Entry(path, mode, blob, int(size) if size.isdecimal() else 0)


def _counted(row: str) -> tuple[str, int]:
    added, removed, path = row.split("\t", 2)
    return path, int(added) + int(removed) if added.isdecimal() else 0


def _is_plain(path: str) -> bool:
    """Below the folder, and not in `.git`: a tree that was made by hand may name anything."""
    parts = PurePosixPath(path).parts
    return not path.startswith("/") and not any(
        part in ("..", ".") or part.lower() == ".git" or "\\" in part for part in parts
    )
