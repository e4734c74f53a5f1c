"""Rules about reading, as patterns that searches leave out.

A search of a folder above a hidden file is allowed; without this it would show the file. The rules
themselves still judge every call.
"""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from qcode.permission.patterns import PathPattern
from qcode.permission.rules import Rule


def closed(rules: Sequence[Rule]) -> tuple[str, ...]:
    """What deny and ask rules keep from being read, as gitignore patterns from the file system's
    root: also in folders that were added, and outside of all of them."""
    patterns = (
        rule.pattern
        for rule in rules
        if rule.answer != "allow" and rule.kind == "read" and isinstance(rule.pattern, PathPattern)
    )
    return tuple(dict.fromkeys(line for pattern in patterns for line in _absolute(pattern)))


def _absolute(pattern: PathPattern) -> Iterator[str]:
    line = pattern.line
    if pattern.base:  # without a slash in its midst it is about every folder below
        deep = "" if "/" in line.rstrip("/") else "**/"
        base = re.sub(r"([\\*?\[\]])", r"\\\1", pattern.base)
        line = f"{base}/{deep}{line.lstrip('/')}"
    yield line
    if pattern.wider:
        yield pattern.wider


def hidden(rules: Sequence[Rule], root: str) -> tuple[str, ...]:
    """Those of deny rules, as gitignore patterns from `root`, a POSIX path with its links resolved:
    not even their names are told."""
    patterns = (
        rule.pattern
        for rule in rules
        if (rule.answer, rule.kind) == ("deny", "read") and isinstance(rule.pattern, PathPattern)
    )
    return tuple(dict.fromkeys(line for pattern in patterns for line in _below(pattern, root)))


def _below(pattern: PathPattern, root: str) -> Iterator[str]:
    if pattern.base == root:
        yield pattern.line
    elif not pattern.base:
        yield from _relative(pattern.line, root)
    if pattern.wider:
        yield from _relative(pattern.wider, root)


def _relative(line: str, root: str) -> Iterator[str]:
    """A pattern from the file system's root as one from `root`; none if it cannot match there."""
    parts = [part for part in line.split("/") if part]
    folders = PurePosixPath(root).parts[1:]
    ending = "/" if line.endswith("/") else ""
    for at, folder in enumerate(folders):
        if at == len(parts):  # it hides a folder around the workspace
            yield "*"
            return
        if parts[at] == "**":
            yield "/".join(parts[at:]) + ending
            return
        if not fnmatchcase(folder, parts[at]):
            return
    yield "/" + "/".join(parts[len(folders) :]) + ending if parts[len(folders) :] else "*"
