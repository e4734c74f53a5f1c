"""Walk a folder and find files by name, in path order, without what git ignores."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path, PurePosixPath

import msgspec

from qcode.workspace.ignore import Bounds, Stack, enter, ignored, outer
from qcode.workspace.straight import folder_entries
from qcode.workspace.trouble import trouble
from qcode.workspace.wildcards import alternatives, path_regex

NEAR_ENTRIES = 20_000
"""So many files are looked at for a name like a missing one."""

LIKE = 0.6
"""How much two names must have in common, without their endings: `test_cart` and `cart` have."""

MOST_BRACES, MOST_KINDS = 32, 1_024
"""In one pattern: twenty pairs of two stand for a million."""

_WILD = re.compile(r"[*?\[\\{]")


def walk(start: Path, bounds: Bounds, judged: Path | None = None) -> Iterator[str]:
    """Absolute paths of all files below `start`, links to files included and not followed.
    `judged`: the search began there, above `start`; None = at `start`.

    Ordered by names, folder by folder, so that it can be stopped at any point; `.git` and what
    git ignores are left out, folders that cannot be read are passed over. `bounds`: what holds
    for the whole workspace.
    """
    if judged is not None and _is_closed(start, judged, bounds):
        return
    hides = bounds.secrets.is_one if bounds.secrets.below(str(start)) else _none
    yield from _below(str(start).rstrip("/"), outer(start, bounds, judged), hides)


def _is_closed(folder: Path, judged: Path, bounds: Bounds) -> bool:
    """Whether a search from `judged` would have passed over it, and not because of git."""
    final = bounds.excluded(judged)
    return any(
        bounds.secrets.is_one(str(one))
        or any(rules.judge(str(one), one.name, folder=True) for rules in final)
        for one in (folder, *folder.parents)
        if one != judged and one.is_relative_to(judged)
    )


def _none(path: str) -> bool:
    return False


def cannot_list(folder: Path, shown: str) -> str:
    """Why nothing can be found in `folder`, as a sentence; empty = its names can be read."""
    try:
        os.scandir(folder).close()
    except (OSError, ValueError) as error:
        return str(trouble(error, shown, "list"))
    return ""


def _below(folder: str, stack: Stack, hides: Callable[[str], bool]) -> Iterator[str]:
    try:
        entries = folder_entries(folder or "/")
    except (OSError, ValueError):
        return
    stack = enter(stack, folder, entries.keys())
    for name in sorted(entries):
        path = f"{folder}/{name}"
        is_folder = entries[name]
        if name == ".git" or (stack and ignored(stack, path, name, folder=is_folder)):
            continue
        if hides(path):
            continue
        if is_folder:
            yield from _below(path, stack, hides)
        else:
            yield path


class Sieve:
    """Tells for single paths below `start` whether `walk` would yield them."""

    def __init__(self, start: Path, bounds: Bounds) -> None:
        self._start = str(start).rstrip("/")
        self._hides = bounds.secrets.is_one
        self._known: dict[str, Stack | None] = {
            self._start: enter(outer(start, bounds), self._start)
        }

    def passes(self, path: str) -> bool:
        """`path` is absolute, below `start`, and exists."""
        folder, _, name = path.rpartition("/")
        stack = self._stack(folder)
        if stack is None or self._hides(path):
            return False
        return not ignored(stack, path, name, folder=False)

    def _stack(self, folder: str) -> Stack | None:
        """The lists inside `folder`; None = it is ignored itself."""
        if folder not in self._known:
            parent, _, name = folder.rpartition("/")
            above = self._stack(parent)
            hidden = above is None or name == ".git" or ignored(above, folder, name, folder=True)
            hidden = hidden or self._hides(folder)
            self._known[folder] = None if above is None or hidden else enter(above, folder)
        return self._known[folder]


class Files(msgspec.Struct, frozen=True):
    """A pattern for files below a folder: `*.py` at any depth, `src/*.py` from the folder."""

    regex: re.Pattern[str]
    on_name: bool
    fixed: str
    """Folders at the pattern's beginning that hold no wildcard, such as `src/app`."""

    def matches(self, below: str) -> bool:
        """`below`: a path from the folder."""
        subject = below.rpartition("/")[2] if self.on_name else below
        return self.regex.fullmatch(subject) is not None


def files(pattern: str) -> Files:
    """Read a pattern: git's wildcards, and `{a,b}`."""
    pattern = re.sub(r"^(?:\./)+", "", pattern.strip())
    pattern = f"{pattern}**" if pattern.endswith("/") else pattern
    on_name = "/" not in pattern
    kinds = (path_regex(kind.removeprefix("/")) for kind in _kinds(pattern))
    regex = re.compile("|".join(f"(?:{kind})" for kind in kinds), re.DOTALL)
    plain = [] if on_name else _WILD.split(pattern.lstrip("/"), maxsplit=1)[0].split("/")[:-1]
    return Files(regex, on_name, "/".join(plain))


def _kinds(pattern: str) -> list[str]:
    """Without braces; where they stand for too many, they are letters like others."""
    if pattern.count("{") > MOST_BRACES:
        return [pattern]
    found = list(islice(alternatives(pattern), MOST_KINDS + 1))
    return found if len(found) <= MOST_KINDS else [pattern]


def find(start: Path, bounds: Bounds, pattern: str, limit: int) -> list[str]:
    """Absolute paths that match, in path order, at most `limit`."""
    wanted = files(pattern)
    base = str(start).rstrip("/")
    within = start / wanted.fixed if wanted.fixed and ".." not in wanted.fixed else start
    if within != start and (not within.is_dir() or Path(os.path.realpath(within)) != within):
        return []
    walked = walk(within, bounds, start)
    found = (path for path in walked if wanted.matches(path[len(base) + 1 :]))
    return list(islice(found, limit))


def nearest(bounds: Bounds, missing: Path) -> list[str]:
    """Paths from the root that somebody may have meant: the same name elsewhere, a like one near.
    None that a search would not tell."""
    root = bounds.root
    same, base = [], f"{str(root).rstrip('/')}/"
    for path in islice(walk(root, bounds), NEAR_ENTRIES):
        if path.rpartition("/")[2].lower() == missing.name.lower():
            same.append(path[len(base) :])
    if same:
        return _closest_folders(same, missing, root)
    folder = missing.parent
    top = root if folder.is_relative_to(root) else Path(folder.anchor)
    names = [name for name in sorted(_names(folder)) if not _is_closed(folder / name, top, bounds)]
    like = _alike(missing.name, names)
    if not folder.is_relative_to(root):
        return [str(folder / name) for name in like]
    return [PurePosixPath(folder.relative_to(root), name).as_posix() for name in like]


def _closest_folders(paths: Iterable[str], missing: Path, root: Path) -> list[str]:
    """Those first that share most folder names with the missing path."""
    wanted = Counter(missing.parts)
    paths = sorted(paths, key=lambda path: (-(Counter(path.split("/")) & wanted).total(), path))
    return paths[:3]


def _alike(name: str, names: Iterable[str]) -> list[str]:
    """At most three, the likest first. Endings count only between equals: every `.py` has one."""
    meant = PurePosixPath(name.lower())
    compared = SequenceMatcher(b=meant.stem)
    rated = []
    for other in names:
        path = PurePosixPath(other.lower())
        compared.set_seq1(path.stem)
        if compared.quick_ratio() >= LIKE and (likeness := compared.ratio()) >= LIKE:
            rated.append((-likeness, path.suffix != meant.suffix, other))
    return [other for *_, other in sorted(rated)[:3]]


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names are wanted, not paths
    except OSError:
        return []
