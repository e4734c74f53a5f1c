"""How far Python's expression engine may be let loose: it tries all ways to divide a line among
repetitions that stand side by side, and nothing can stop it meanwhile.

Repetitions that meet are counted while a pattern is read. Of each line only so much is searched
that the worst case takes a few seconds.
"""

import sys
from collections.abc import Callable

import msgspec

REACH = (sys.maxsize, 10_000, 600, 200)
"""Characters of a line that are searched, by how many repetitions meet."""
_OPTIONAL_WEIGH_ONE = 3
"""So many `?` side by side are taken for one repetition more."""


class _Group(msgspec.Struct):
    before: list[str]
    """The run that the group continues."""
    inside: list[str] = msgspec.field(default_factory=list)
    """All that repeats in it."""
    branches: int = 1


class Repeats(msgspec.Struct):
    """Follows a pattern from left to right."""

    apart: Callable[[str, str], bool]
    """Tells that two items never match the same character."""
    most: int = 0
    """The most repetitions that meet anywhere."""
    _run: list[str] = msgspec.field(default_factory=list)
    """What repeats since the last thing that is surely there, `?` for what is there or not."""
    _groups: list[_Group] = msgspec.field(default_factory=list)

    @property
    def reach(self) -> int:
        """Characters of a line that may be searched; 0 = it is too much for any line."""
        return REACH[self.most] if self.most < len(REACH) else 0

    def fixed(self) -> None:
        """An item that is there exactly once, or a fixed number of times."""
        self._run = []

    def repeated(self, item: str, count: str) -> None:
        """An item that is there a varying number of times."""
        stars = [one for one in self._run if one != "?"]
        if count[0] == "+" and stars and self.apart(stars[-1], item):
            self._run = []  # it is surely there, and stands between
        self._add("?" if count[0] == "?" else item)

    def opened(self) -> None:
        """A group begins."""
        self._groups.append(_Group(list(self._run)))

    def branched(self) -> None:
        """Another alternative begins."""
        if self._groups:
            self._groups[-1].branches += 1
        self._run = list(self._groups[-1].before) if self._groups else []

    def closed(self, *, optional: bool) -> None:
        """A group ends; `optional`: it may be left out."""
        group = self._groups.pop()
        if optional or group.branches > 1:  # what is surely there in it need not be
            self._run = [*group.before, *group.inside]
            self._add("?")

    def _add(self, item: str) -> None:
        self._run.append(item)
        for group in self._groups:
            group.inside.append(item)
        stars = sum(one != "?" and not self.apart(one, item) for one in self._run)
        optional = self._run.count("?")
        self.most = max(self.most, stars + optional // _OPTIONAL_WEIGH_ONE)
