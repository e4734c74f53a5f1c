"""Places that no tool looks into unless a rule names them: keys, and what qcode keeps of its own.

The list comes from outside (`sandbox.secrets`): the fence hides the same from commands.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from qcode.protocol.access import PROCESS


class Secrets(msgspec.Struct, frozen=True):
    """The places. Whatever the case: on some file systems it does not count."""

    places: Mapping[str, str] = msgspec.field(default_factory=dict)
    """As they are compared -> as they are called, absolute."""

    @classmethod
    def of(cls, paths: Iterable[str]) -> "Secrets":
        """From absolute paths, links in them resolved."""
        return cls({path.casefold(): path for path in paths})

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

    def is_one(self, path: str) -> bool:
        """Whether a search passes over it."""
        return path.casefold() in self.places

    def below(self, folder: str) -> bool:
        """Whether one lies in `folder`, or is it."""
        base = folder.rstrip("/").casefold()
        return any(place == base or place.startswith(f"{base}/") for place in self.places)
