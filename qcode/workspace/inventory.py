"""What a tree looks like from outside, in memory: enough to tell later which paths changed.

A path is known by size, times, inode and mode, as git's index knows it; no file is opened. What
git ignores is left out, but for `.env` files: those are nowhere else, and nobody can make them
anew. Of repositories below only the small file is looked at that a submodule has for a `.git`.
100,000 files take a third of a second and 30 MB.
"""

import itertools
import os
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from qcode.workspace.ignore import Bounds, Stack, enter, ignored, outer

MOST_PATHS = 300_000
_RACY_NS = 50_000_000
"""Within a tick of the system's clock a file may change twice and keep its times: what changed so
shortly before it was looked at is looked at again."""
_FILES = (stat.S_IFREG, stat.S_IFLNK)

Stamp = tuple[int, int, int, int, int]
"""`st_mode`, size, time of the last change of the inode, of the bytes, inode."""

_odd = itertools.count(1)


class TooMany(Exception):
    """The tree has more than `MOST_PATHS` files."""


class Folder(msgspec.Struct):
    """One folder as it was seen."""

    mode: int
    files: dict[str, Stamp] = msgspec.field(default_factory=dict)
    below: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    """Names that git ignores, folders with a slash at their end."""


Inventory = dict[str, Folder]
"""By path from the root; the root itself is the empty one."""


def mode_of(stamp: Stamp) -> int:
    """`st_mode`, whole."""
    return stamp[0]


def size_of(stamp: Stamp) -> int:
    """In bytes."""
    return stamp[1]


def _stamp(status: os.stat_result, racy_ns: int) -> Stamp:
    changed = status.st_ctime_ns  # never earlier than the bytes were written
    if changed > racy_ns:
        changed = -next(_odd)  # is like no other
    return status.st_mode, status.st_size, changed, status.st_mtime_ns, status.st_ino


class _Lists:
    """The ignore lists in a folder, read only when a name must be judged that was not known."""

    def __init__(self, above: "_Lists | Stack", folder: str, names: set[str]) -> None:
        self._above = above
        self.folder = folder
        self._names = names
        self._stack: Stack | None = None

    @property
    def stack(self) -> Stack:
        if self._stack is None:
            above = self._above.stack if isinstance(self._above, _Lists) else self._above
            self._stack = enter(above, self.folder, self._names)
        return self._stack


def _entries(path: str) -> "tuple[list[os.DirEntry[str]], int | None]":
    """What is in a folder; looked at through the open folder, a third faster than by paths."""
    if os.scandir not in os.supports_fd:
        with os.scandir(path) as found:
            return list(found), None
    opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        with os.scandir(opened) as found:
            return list(found), opened
    except BaseException:
        os.close(opened)
        raise


class Scan:
    """One look at a whole tree."""

    def __init__(self, root: Path, known: Inventory | None = None, stand_in_ns: int = -1) -> None:
        """`known`: an earlier one, whose judgement of what is ignored holds while the lists do.
        `stand_in_ns`: what was last changed at that time is left out."""
        self._stand_in_ns = stand_in_ns
        self._root = str(root).rstrip("/")
        self._outer = outer(root, Bounds(root))
        self._known = known or {}
        self._racy_ns = time.time_ns() - _RACY_NS
        self._count = 0
        self.found: Inventory = {}
        self.repositories: list[str] = []
        """The `.git` of each that lies below, from the root: not looked into."""

    def run(self) -> Inventory:
        """Raises TooMany."""
        try:
            mode = os.lstat(self._root or "/").st_mode
        except OSError:
            return self.found
        self._folder("", mode, self._outer, bool(self._known))
        return self.found

    def _folder(self, below: str, mode: int, above: _Lists | Stack, trusts: bool) -> None:  # noqa: FBT001 - called in one place
        path = f"{self._root}/{below}" if below else self._root
        self.found[below] = Folder(stat.S_IMODE(mode))
        try:
            entries, opened = _entries(path or "/")
        except OSError:
            return
        try:
            self._read(below, entries, above, trusts)
        finally:
            if opened is not None:
                os.close(opened)

    def _read(
        self,
        below: str,
        entries: "list[os.DirEntry[str]]",
        above: _Lists | Stack,
        trusts: bool,  # noqa: FBT001 - called in one place
    ) -> None:
        made = self.found[below]
        path = f"{self._root}/{below}" if below else self._root
        self._count += len(entries)
        if self._count > MOST_PATHS:
            raise TooMany
        names = {entry.name for entry in entries}
        known = self._known.get(below) if trusts else None
        if ".gitignore" in names or (known and ".gitignore" in known.files):
            trusts = known is not None and self._same_list(entries, known)
        judged = known.files if known and trusts else {}
        lists = _Lists(above, path, names)
        hidden, folders = [], []
        files, racy_ns = made.files, self._racy_ns
        for entry in entries:
            name = entry.name
            try:
                is_folder = entry.is_dir(follow_symlinks=False)
                if (is_folder or name not in judged) and self._hidden(
                    known if trusts else None, lists, entry, name
                ):
                    if name == ".git" and below:
                        self.repositories.append(f"{below}/{name}")
                    hidden.append(f"{name}/" if is_folder else name)
                    continue
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue  # gone meanwhile
            mode = status.st_mode
            if status.st_mtime_ns == self._stand_in_ns:
                continue
            if is_folder:
                folders.append((name, mode))
            elif mode & 0o170000 in _FILES:
                changed = status.st_ctime_ns
                stamp = mode, status.st_size, changed, status.st_mtime_ns, status.st_ino
                if changed > racy_ns:
                    stamp = _stamp(status, racy_ns)
                elif stamp == judged.get(name):
                    stamp = judged[name]  # one copy in memory
                files[name] = stamp
        made.hidden = frozenset(hidden)
        made.below = frozenset(name for name, _ in folders)
        for name, folder_mode in folders:
            self._folder(f"{below}/{name}" if below else name, folder_mode, lists, trusts)

    def _same_list(self, entries: "list[os.DirEntry[str]]", known: Folder) -> bool:
        own = [entry for entry in entries if entry.name == ".gitignore"]
        try:
            now = _stamp(own[0].stat(follow_symlinks=False), self._racy_ns) if own else None
        except OSError:
            return False
        return now == known.files.get(".gitignore")

    def _hidden(
        self, known: Folder | None, lists: _Lists, entry: "os.DirEntry[str]", name: str
    ) -> bool:
        is_folder = entry.is_dir(follow_symlinks=False)
        if name == ".git":
            return is_folder or lists.folder == (self._root or "/")
        if name.startswith(".env") and not is_folder:
            return False
        if known is not None:
            if (f"{name}/" if is_folder else name) in known.hidden:
                return True
            if is_folder and name in known.below:
                return False
        stack = lists.stack
        return bool(stack) and ignored(stack, f"{lists.folder}/{name}", name, folder=is_folder)


def stamps(root: Path, paths: Iterable[str], into: Inventory) -> None:
    """Take single files into an inventory that left them out: git tracks them all the same."""
    racy_ns = time.time_ns() - _RACY_NS
    for path in paths:
        folder, _, name = path.rpartition("/")
        try:
            status = os.lstat(root / path)
            if folder not in into:
                into[folder] = Folder(stat.S_IMODE(os.lstat(root / folder).st_mode))
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
            into[folder].files[name] = _stamp(status, racy_ns)


def differing(old: Inventory, new: Inventory) -> Iterator[str]:
    """Paths of files, links and folders that came, went, or look different."""
    for path, folder in new.items():
        was = old.get(path)
        if was is None or was.mode != folder.mode:
            yield path
        before = was.files if was else {}
        if before != folder.files:
            names = {n for n, stamp in folder.files.items() if before.get(n) != stamp}
            for name in names | (before.keys() - folder.files.keys()):
                yield f"{path}/{name}" if path else name
    for path, folder in old.items():
        if path not in new:
            yield path
            yield from (f"{path}/{name}" if path else name for name in folder.files)
