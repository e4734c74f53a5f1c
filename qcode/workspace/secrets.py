"""Places that no tool looks into unless a rule names them: keys, and what qcode keeps of its own.

The list comes from outside (`sandbox.secrets`): the fence hides the same from commands.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import msgspec

from qcode.protocol.access import PROCESS


class Secrets(msgspec.Struct, frozen=True):
    """The places. Whatever the case: on some file systems it does not count."""

    places: Mapping[str, str] = msgspec.field(default_factory=dict)
    """As they are compared -> as they are called, absolute."""
    own: frozenset[str] = frozenset()
    """Those of them in which qcode keeps its own things, as they are compared."""

    @classmethod
    def of(cls, paths: Iterable[str], own: Iterable[Path] = ()) -> "Secrets":
        """From absolute paths, links in them resolved; those of `own` are resolved here."""
        kept = frozenset(os.path.realpath(folder).casefold() for folder in own)
        return cls({path.casefold(): path for path in paths}, kept)

    def around(self, path: str, shown: Collection[str]) -> str:
        """The place that `path` is or lies in; empty = none. What is worked in (`shown`) is no
        secret, though it lies in one."""
        if process := PROCESS.match(path):
            return process[0]
        if not self.places:
            return ""
        while path not in shown:
            if place := self.places.get(path.casefold()):
                return place
            path, slash, _ = path.rpartition("/")
            if not slash:
                return ""
        return ""

    def is_own(self, path: Path) -> bool:
        """Whether it is qcode's own, also where it is worked in."""
        return any(str(it).casefold() in self.own for it in (path, *path.parents))

    def is_one(self, path: str) -> bool:
        """Whether a search passes over it."""
        return path.casefold() in self.places

    def below(self, folder: str) -> bool:
        """Whether one lies in `folder`, or is it."""
        base = folder.rstrip("/").casefold()
        return any(place == base or place.startswith(f"{base}/") for place in self.places)
