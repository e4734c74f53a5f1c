"""Which files git ignores: `.gitignore` at every level, and `.git/info/exclude`.

A folder without git is treated as if it had one. The person's own list (`core.excludesFile`) is
not read: what is found must not depend on who asks.
"""

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

import msgspec

from qcode.workspace.secrets import Secrets
from qcode.workspace.wildcards import path_regex

_FILE_BYTES = 1024 * 1024
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class _Rule(msgspec.Struct, frozen=True):
    regex: re.Pattern[str]
    on_name: bool
    """True = matched against the last name alone; else against the path from the list's folder."""
    folders_only: bool
    ignores: bool


class Rules(msgspec.Struct, frozen=True):
    """One list of patterns, for what lies below one folder."""

    base: str
    """The folder, with a slash at its end."""
    rules: tuple[_Rule, ...]
    """The last one first: it wins."""
    names: re.Pattern[str] | None
    """Any of those on names at once: most names match none, and that must cost little."""
    paths: re.Pattern[str] | None
    final: bool = False
    """What it ignores no nearer list takes back: the user's own excludes."""

    def judge(self, path: str, name: str, *, folder: bool) -> bool | None:
        """True = ignored, False = taken back by `!`, None = no pattern matches."""
        if not path.startswith(self.base):
            return None
        below = path[len(self.base) :]
        by_name = self.names is not None and self.names.fullmatch(name)
        if not by_name and not (self.paths is not None and self.paths.fullmatch(below)):
            return None
        for rule in self.rules:
            if rule.folders_only and not folder:
                continue
            if rule.regex.fullmatch(name if rule.on_name else below):
                return rule.ignores
        return None


Stack = tuple[Rules, ...]
"""The lists in force in a folder, the nearest last."""


def ignored(stack: Stack, path: str, name: str, *, folder: bool) -> bool:
    """Whether the nearest list that has an opinion says so. `path` is absolute."""
    for rules in stack:
        if not rules.final:
            break
        if rules.judge(path, name, folder=folder):
            return True
    for rules in reversed(stack):
        verdict = rules.judge(path, name, folder=folder)
        if verdict is not None:
            return verdict
    return False


class Bounds(msgspec.Struct, frozen=True):
    """What holds for every search in a workspace."""

    root: Path
    """Up to where `.gitignore` files count when there is no repository."""
    exclude: tuple[str, ...] = ()
    """Patterns from the root, as in a `.gitignore`, for files to leave out besides."""
    secrets: Secrets = Secrets()
    """Passed over, too, by all that starts above them."""
    closed: tuple[str, ...] = ()
    """Patterns from the file system's root, for what rules deny or ask about: shown only by what
    starts there, for that was judged."""

    def excluded(self, start: Path) -> Stack:
        """The lists of `exclude` and of `closed`."""
        closed = [pattern for pattern in self.closed if not _is_in(start, pattern)]
        own = _rules(str(self.root), self.exclude, final=True)
        return own + _rules("/", closed, final=True)


def _is_in(folder: Path, pattern: str) -> bool:
    inside = f"{str(folder).rstrip('/')}/\0"  # a name that no pattern spells
    places = (inside, *map(str, (folder, *folder.parents)))
    return any(
        rules.judge(place, place.rpartition("/")[2], folder=True)
        for rules in _rules("/", (pattern,), final=True)
        for place in places
    )


def outer(start: Path, bounds: Bounds, judged: Path | None = None) -> Stack:
    """The lists of the folders above `start`, up to its repository, else up to the root. `judged`:
    the folder that the person or the rules let be searched; None = `start` itself."""
    top = repository(start) or (bounds.root if start.is_relative_to(bounds.root) else start)
    above = [folder for folder in start.parents if folder.is_relative_to(top)]
    stack = bounds.excluded(judged or start)
    for folder in reversed(above):
        stack = enter(stack, str(folder))
    return stack


def enter(stack: Stack, folder: str, names: Iterable[str] = (".gitignore", ".git")) -> Stack:
    """The lists in force inside `folder`; `names` are those in it, where they are known."""
    if ".git" in names and os.path.lexists(f"{folder}/.git"):
        own = tuple(rules for rules in stack if rules.final)
        stack = own + _listed(folder, _exclude_file(folder))  # another repository: the rest end
    if ".gitignore" in names:
        stack += _listed(folder, f"{folder}/.gitignore")
    return stack


def repository(folder: Path) -> Path | None:
    """The nearest folder from `folder` upwards that has a `.git`; None = there is none."""
    for candidate in (folder, *folder.parents):
        if os.path.lexists(candidate / ".git"):
            return candidate
    return None


def git_folder(top: str) -> str:
    """Where the repository at `top` keeps its data; `.git` may be a file that points there."""
    place = f"{top}/.git"
    head = head_of(place) if Path(place).is_file() else ""
    if head.startswith("gitdir:"):
        return os.path.join(top, head.removeprefix("gitdir:").strip())  # noqa: PTH118 - strings all the way, for speed
    return place


def _exclude_file(top: str) -> str:
    folder = git_folder(top)
    common = head_of(f"{folder}/commondir").strip()  # a work tree shares its repository's list
    return f"{folder}/{common}/info/exclude" if common else f"{folder}/info/exclude"


def _listed(folder: str, file: str) -> Stack:
    return _rules(folder, head_of(file).split("\n"), final=False)


def _rules(folder: str, lines: Iterable[str], *, final: bool) -> Stack:
    rules = tuple(rule for line in lines if (rule := _rule(line.removesuffix("\r"))))
    if not rules:
        return ()
    base = folder.rstrip("/") + "/"
    names, paths = _any(rules, on_name=True), _any(rules, on_name=False)
    return (Rules(base, rules[::-1], names, paths, final),)


def head_of(file: str) -> str:
    """A file's text, as much as a list of rules may have; empty where it is no ordinary file: a
    repository may hold a pipe, or a link to a device, under any name."""
    try:
        descriptor = os.open(file, _READ)
        with os.fdopen(descriptor, "rb") as source:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return ""
            return os.fsdecode(source.read(_FILE_BYTES).removeprefix(b"\xef\xbb\xbf"))
    except OSError:
        return ""  # absent, a folder, not for us: no list


def _rule(line: str) -> _Rule | None:
    pattern = _trimmed(line)
    ignores = not pattern.startswith("!")
    pattern = pattern if ignores else pattern[1:]
    if line.startswith("#") or not pattern.strip("/"):
        return None
    folders_only = pattern.endswith("/")
    pattern = pattern.removesuffix("/")
    on_name = "/" not in pattern
    regex = re.compile(path_regex(pattern.removeprefix("/")), re.DOTALL)
    return _Rule(regex, on_name, folders_only, ignores)


def _trimmed(line: str) -> str:
    """Without blanks at the end, unless a backslash keeps them."""
    kept = re.fullmatch(r"((?:\\.|[^\\])*?) *", line, re.DOTALL)
    return kept[1] if kept else line


def _any(rules: Iterable[_Rule], *, on_name: bool) -> re.Pattern[str] | None:
    parts = [f"(?:{rule.regex.pattern})" for rule in rules if rule.on_name == on_name]
    return re.compile("|".join(parts), re.DOTALL) if parts else None
