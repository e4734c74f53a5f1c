"""What stands between the brackets of a rule: paths, commands, hosts.

Each pattern has two ways to match. `covers` is strict and serves allow rules: when in doubt, no.
`touches` is wide and serves deny and ask rules: when in doubt, yes.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from qcode.permission.shell import Line, Simple
from qcode.permission.words import Word, scan
from qcode.protocol.access import PROCESS, Access

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_WILD = re.compile(r"[*?\[\]!\\]")
_INSIDE = "/" + "\0" * 9
"""A file of any name in a folder: one that no pattern names."""


class Ground(msgspec.Struct, frozen=True):
    """Where relative patterns start. POSIX paths, absolute, without a slash at the end."""

    root: str
    home: str
    secrets: tuple[str, ...] = ()
    """Places that no rule allows to be touched but one that names them; without them, none does."""

    @classmethod
    def of(cls, folder: Path) -> "Ground":
        """For a workspace, with the user's home; links resolved, as those of what is judged are."""
        return cls(folder.resolve().as_posix(), Path.home().resolve().as_posix())


class PathPattern(msgspec.Struct, frozen=True):
    """A gitignore pattern below a folder; matched on whole components, never as text."""

    base: str
    """The folder it is relative to; empty = the file system's root."""
    line: str
    root: str
    """Of the workspace: relative targets lie below it."""
    wider: str = ""
    """A second pattern, from the file system's root, that only deny and ask rules look at."""
    secret: str = ""
    """What is kept from tools and named by it, absolute: `~/.ssh/**` names `~/.ssh`. Empty =
    nothing of it."""

    def covers(self, access: Access) -> bool:
        """A protected path is covered only by a pattern that names it, never by `**`; so are keys,
        and what qcode keeps of its own."""
        path = _absolute(access.target, self.root)
        if path is None or not _below(path, self.base, self.line):
            return False
        if access.place == "secret":
            return bool(self.secret) and (path == self.secret or path.startswith(f"{self.secret}/"))
        return access.place != "protected" or self._names(access.target)

    def touches(self, access: Access) -> bool:
        """Upper and lower case are the same here: on some file systems they are.

        The path may be a folder that is searched: `secret/**` is about `secret`, too.
        """
        path = _absolute(access.target, self.root)
        if path is None:
            return True
        pairs = [(self.base, self.line), ("", self.wider)]
        return any(
            _below(one, base, line) or _below(one.casefold(), base.casefold(), line.casefold())
            for one in (path, path + _INSIDE)
            for base, line in pairs
            if line
        )

    def _names(self, target: str) -> bool:
        parts = target.casefold().strip("/").split("/")
        named = {part for part in self.line.casefold().split("/") if not _WILD.search(part)}
        hidden = {part for part in parts if part.startswith(".")}
        return hidden <= named if hidden else parts[-1] in named


def named(base: str, line: str, secrets: Sequence[str]) -> str:
    """The one of `secrets` into which the fixed folders of a pattern lead; empty = none."""
    fixed = ""
    for part in filter(None, f"{base}/{line}".split("/")):
        if re.search(r"(?<!\\)[*?\[]", part):
            break
        fixed += "/" + re.sub(r"\\(.)", r"\1", part)
    around = [one for one in secrets if fixed == one or fixed.startswith(f"{one}/")]
    process = PROCESS.match(fixed)
    return process[0] if process else max(around, key=len, default="")


def _absolute(target: str, root: str) -> str | None:
    """The resolved path behind `target`; None = it is not resolved, so nobody knows."""
    path = target if target.startswith("/") else f"{root}/{target}"
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return None if ".." in parts else "/" + "/".join(parts)


def _below(path: str, base: str, line: str) -> bool:
    if not path.startswith(base + "/") and path != base:
        return False
    relative = path[len(base) + 1 :]
    if not relative:
        return line.strip("/") in ("**", "*")
    return _spec(line).match_file(relative)


@lru_cache(maxsize=256)
def _spec(line: str) -> "GitIgnoreSpec":
    # Deferred: 16 ms that a run without path rules does not pay.
    from pathspec import GitIgnoreSpec  # noqa: PLC0415

    return GitIgnoreSpec.from_lines([line])


class CommandPattern(msgspec.Struct, frozen=True):
    """A command by its words: `git status:*` = these and any more, `npm test` = just these."""

    text: str
    words: tuple[str, ...]
    """Empty = the text is more than one simple command: only the whole line can match."""
    rest: bool
    """Any more words may follow."""

    def covers(self, command: Simple) -> bool:
        """The command starts with the words, as fixed text, and adds nothing unless it may.

        They must say what is run: `uv run:*` is no leave for whatever stands behind it.
        """
        start = command.words[: len(self.words)]
        long_enough = len(command.words) == len(self.words) or self.rest
        told = len(self.words) >= command.named and all(word.kind == "fixed" for word in start)
        return bool(
            self.words and long_enough and told and tuple(w.text for w in start) == self.words
        )

    def quotes(self, line: Line) -> bool:
        """Is the rule this whole line, sign for sign?"""
        return not self.rest and self.text == line.text.strip()

    def touches(self, line: Line) -> bool:
        """Some command of the line may be meant. An unclear line is searched word by word."""
        if self.quotes(line):
            return True
        if not self.words and _contains(scan(line.text), scan(self.text)):
            return True
        commands = (*line.commands, *line.wrappers, *line.inner)
        return any(self._may_be(command.words) for command in commands) or (
            bool(self.words) and _contains(line.scanned, scan(" ".join(self.words)))
        )

    def _may_be(self, words: Sequence[Word]) -> bool:
        """The words in their order; between them options and their values may stand."""
        if not self.words or not _same(words[0].text, self.words[0]):
            return False
        wanted = list(self.words[1:])
        for index, word in enumerate(words[1:], 1):
            if wanted and word.text == wanted[0]:
                wanted.pop(0)
            elif not (_is_option_or_value(words, index) if wanted else self.rest):
                return False
        return not wanted


def _is_option_or_value(words: Sequence[Word], index: int) -> bool:
    before = words[index - 1].text if index > 1 else ""
    return words[index].text.startswith("-") or before.startswith("-")


def _same(name: str, wanted: str) -> bool:
    """`/bin/RM` may be `rm`."""
    name, wanted = name.casefold(), wanted.casefold()
    return name == wanted or name.rsplit("/", 1)[-1] == wanted.rsplit("/", 1)[-1]


def _contains(words: Sequence[str], wanted: Sequence[str]) -> bool:
    """Do `wanted` stand side by side in `words`?"""
    size = len(wanted)
    return size > 0 and any(
        _same(words[at], wanted[0]) and tuple(words[at + 1 : at + size]) == tuple(wanted[1:])
        for at in range(len(words) - size + 1)
    )


class HostPattern(msgspec.Struct, frozen=True):
    """`example.com` = that host; `*.example.com` = the hosts below it."""

    labels: tuple[str, ...]
    below: bool

    def covers(self, access: Access) -> bool:
        """Compared label by label: `evil.com` is not below `l.com`."""
        labels = host_labels(access.target)
        if labels is None:
            return False
        if self.below:
            return len(labels) > len(self.labels) and labels[-len(self.labels) :] == self.labels
        return labels == self.labels

    def touches(self, access: Access) -> bool:
        """The host itself and all below it; a host that is none of its grammar, too."""
        labels = host_labels(access.target)
        return labels is None or labels[-len(self.labels) :] == self.labels


_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def host_labels(host: str) -> tuple[str, ...] | None:
    """The labels of a host name, lower case; None = it is not a plain host name."""
    labels = host.lower().removesuffix(".").split(".")
    plain = host.isascii() and all(_LABEL.fullmatch(label) for label in labels)
    return tuple(labels) if plain else None
