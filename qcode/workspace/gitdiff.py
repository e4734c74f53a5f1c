"""The changes of a repository, file by file: uncommitted, staged, or since a branch began.

Names come from git's raw output (`-z`, never quoted), lines from the patch of the same answer.
"""

import asyncio
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import msgspec

from qcode.protocol.errors import InputError
from qcode.protocol.text import one_line
from qcode.workspace.git import EMPTY_TREE, Reply, ask
from qcode.workspace.ignore import repository
from qcode.workspace.patches import (
    FILE,
    LINK,
    NONE,
    PROGRAM,
    SUBMODULE,
    FileChange,
    Kind,
    below,
    between,
    hunks_of,
    quoted,
)

_LIMIT_BYTES = 32 * 1024 * 1024
_UNTRACKED_FILES = 1000
_UNTRACKED_BYTES = 1024 * 1024
_DIFF = (
    *("-c", "core.quotePath=false", "-c", "diff.suppressBlankEmpty=false"),
    *("--literal-pathspecs", "diff", "--raw", "--patch", "-z", "--no-abbrev", "--find-renames"),
    *("--unified=3", "--inter-hunk-context=0", "--src-prefix=a/", "--dst-prefix=b/"),
    *("--no-ext-diff", "--no-textconv", "--no-color", "--no-relative"),
    *("--ignore-submodules=dirty", "--submodule=short"),
)
"""Of a submodule only the commit is looked at: its own configuration may be hostile."""


class Asked(msgspec.Struct, frozen=True):
    """Which changes."""

    kind: Literal["worktree", "staged", "base"] = "worktree"
    """`worktree` = all that is not committed, files that git does not know too."""
    base: str = ""
    """With `base`: the branch or commit since which the files changed."""


class Changes(msgspec.Struct, frozen=True):
    """What has changed."""

    files: tuple[FileChange, ...]
    """By path."""
    left_out: int = 0
    """New files that were not read: there are too many of them."""


class Place(msgspec.Struct, frozen=True):
    """A folder in a repository."""

    top: Path
    prefix: str
    """From the top to the folder: empty, or ending in `/`."""


def place_of(folder: Path) -> Place:
    """Where in its repository the folder lies. Raises InputError."""
    real = Path(os.path.realpath(folder))
    top = repository(real)
    if top is None:
        raise InputError(f"{folder} is in no git repository. `git init` makes one.")
    inner = real.relative_to(top).as_posix()
    return Place(top, "" if inner == "." else f"{inner}/")


async def file_changes(folder: Path, asked: Asked) -> Changes:
    """The changed files below `folder`. Raises InputError."""
    place = place_of(folder)
    base = await _base(place.top, asked)
    found = await _tracked(place, base)
    if asked.kind == "staged":
        return Changes(below(found, place.prefix))
    if asked.kind == "worktree":
        found = _with_staged(found, await _tracked(place, ["--cached"]))
    untracked, left_out = await _untracked(place)
    files = sorted([*found, *untracked], key=lambda change: change.path)
    return Changes(below(files, place.prefix), left_out)


async def _base(top: Path, asked: Asked) -> list[str]:
    """What `git diff` compares with."""
    if asked.kind == "staged":
        return ["--cached"]
    if asked.kind == "worktree":
        return [await _commit(top, "HEAD") or EMPTY_TREE]
    commit = await _commit(top, asked.base)
    if not commit:
        raise InputError(
            f"There is no branch or commit {one_line(asked.base)!r} here. "
            "`git branch --all` lists the branches."
        )
    shared = await ask(top, ["merge-base", commit, "HEAD"])
    return [shared.out.decode().strip() if shared.code == 0 else commit]


async def _commit(top: Path, name: str) -> str:
    """Its full name; empty = there is none."""
    if not name or name.startswith("-") or "\0" in name:
        return ""
    reply = await ask(top, ["rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"])
    return reply.out.decode().strip() if reply.code == 0 else ""


async def _tracked(place: Place, base: Sequence[str]) -> list[FileChange]:
    paths = [place.prefix] if place.prefix else []
    reply = await _whole(place, [*_DIFF, *base, "--", *paths])
    return await asyncio.to_thread(parsed, reply.out.decode("utf-8", "surrogateescape"))


async def _whole(place: Place, words: Sequence[str]) -> Reply:
    """An answer that was not cut."""
    reply = await ask(place.top, words, limit_bytes=_LIMIT_BYTES)
    if reply.code:
        raise InputError(f"git could not tell the changes: {one_line(reply.error, 200)}")
    if len(reply.out) >= _LIMIT_BYTES:
        raise InputError(
            f"The changes in {place.top} are more than {_LIMIT_BYTES // 2**20} MB. "
            "Look at a folder of it: start qcode there."
        )
    return reply


def parsed(output: str) -> list[FileChange]:
    """The changes of `git diff --raw --patch -z`."""
    if not output:
        return []
    raw, _, patches = output.partition("\0\0")
    sections = _sections(patches)
    return [_change(record, sections) for record in _records(raw)]


class _Record(msgspec.Struct, frozen=True):
    """A line of git's raw format."""

    old_mode: str
    new_mode: str
    old_blob: str
    status: str
    old_path: str
    path: str


def _records(raw: str) -> Iterator[_Record]:
    fields = iter(raw.split("\0"))
    for head in fields:
        if not head:
            continue
        old_mode, new_mode, old_blob, _, status = head.removeprefix(":").split(" ")
        old_path = next(fields)
        path = next(fields) if status[0] in "RC" else old_path
        if status != "U":  # its lines come with the record of its other state
            yield _Record(old_mode, new_mode, old_blob, status, old_path, path)


def _sections(patches: str) -> dict[str, str]:
    """By their first line. A link that became a file has two of the same: they stand together."""
    found: dict[str, str] = {}
    for piece in f"\n{patches}".split("\ndiff --git ")[1:]:
        head, _, rest = piece.partition("\n")
        found[head] = found.get(head, "") + rest + ("" if rest.endswith("\n") else "\n")
    return found


def _change(record: _Record, sections: dict[str, str]) -> FileChange:
    head = f"{quoted(f'a/{record.old_path}')} {quoted(f'b/{record.path}')}"
    section = sections.get(head, "")
    kind = _kind(record, section)
    whole = kind in ("binary", "submodule", "mode") or record.status == "T"
    start = f"\n{section}".find("\n--- ")
    patch = "" if kind in ("binary", "mode") or start < 0 else section[start:]
    return FileChange(
        record.path,
        kind,
        patch,
        () if whole else hunks_of(patch),
        old_path=record.old_path if kind == "renamed" else "",
        old_mode=record.old_mode,
        new_mode=record.new_mode,
        old_blob=record.old_blob.strip("0") and record.old_blob,
    )


def _kind(record: _Record, section: str) -> Kind:
    if SUBMODULE in (record.old_mode, record.new_mode):
        return "submodule"
    if "\nBinary files " in f"\n{section.partition('@@')[0]}":
        return "binary"
    by_status: dict[str, Kind] = {"A": "new", "D": "deleted", "R": "renamed", "C": "new"}
    kind = by_status.get(record.status[0], "modified")
    is_mode = kind == "modified" and "\n@@ " not in section
    return "mode" if is_mode else kind


def _with_staged(found: Sequence[FileChange], staged: Sequence[FileChange]) -> list[FileChange]:
    """With the hunks marked that are in the index as they are."""
    rows = {change.path: {hunk.rows for hunk in change.hunks} for change in staged}
    whole = {change.path for change in staged if not change.hunks}
    made = []
    for change in found:
        known = rows.get(change.path, set())
        numbers = frozenset(hunk.number for hunk in change.hunks if hunk.rows in known)
        if not change.hunks and change.path in whole:
            numbers = frozenset({0})
        made.append(replace(change, staged=numbers))
    return made


async def _untracked(place: Place) -> tuple[list[FileChange], int]:
    """The first new files, and how many there are besides."""
    words = ["--literal-pathspecs", "ls-files", "--others", "--exclude-standard", "-z", "--"]
    reply = await _whole(place, [*words, *([place.prefix] if place.prefix else [])])
    names = [name for name in reply.out.decode("utf-8", "surrogateescape").split("\0") if name]
    found = await asyncio.to_thread(_new_files, place.top, names[:_UNTRACKED_FILES])
    return found, len(names[_UNTRACKED_FILES:])


def _new_files(top: Path, names: Sequence[str]) -> list[FileChange]:
    return [change for name in names for change in _new_file(top, name)]


def _new_file(top: Path, name: str) -> Iterator[FileChange]:
    """Nothing for one that went away meanwhile, or cannot be read."""
    if name.endswith("/"):
        yield FileChange(name, "submodule", old_mode=NONE, new_mode=SUBMODULE, tracked="untracked")
        return
    try:
        data, mode = _content(top / name)
    except OSError:
        return
    if b"\0" in data[:8000] or len(data) > _UNTRACKED_BYTES:
        yield FileChange(name, "binary", old_mode=NONE, new_mode=mode, tracked="untracked")
        return
    change = between(name, None, data.decode("utf-8", "surrogateescape"))
    yield replace(change, new_mode=mode, tracked="untracked")


def _content(path: Path) -> tuple[bytes, str]:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return os.fsencode(path.readlink()), LINK
    if not stat.S_ISREG(status.st_mode):  # a pipe would keep us waiting
        raise OSError
    if status.st_size > _UNTRACKED_BYTES:
        return b"\0", FILE
    return path.read_bytes(), PROGRAM if status.st_mode & stat.S_IXUSR else FILE
