"""What a person has refused, so that nobody asks them again before they have spoken."""

from dataclasses import dataclass, field, replace

from qcode.workspace.review import Hunk

NEAR_LINES = 50
"""A part that stands farther off is another one, though its lines are the same: stanzas recur in a
file. Nearer by, the lines above it may have grown or shrunk."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Of a part of a change."""

    path: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    line: int
    """Where it began."""
    comment: str
    holds: bool = True
    """The person has said nothing since; else they are asked about it once more."""


@dataclass(slots=True)
class Refusals:
    """Calls and parts of changes that a person refused.

    The same again is answered from here, until the person says something: a prompt or a steer may
    be leave for what they refused, and nobody but them can tell. A mode that is set anew and a
    rewind let all of it be forgotten.
    """

    _calls: dict[str, str] = field(default_factory=dict)
    """By what makes them the same: what the person said with it."""
    _parts: list[Refusal] = field(default_factory=list)

    def deny(self, key: str, words: str) -> None:
        """A call was denied."""
        self._calls[key] = words

    def denied(self, key: str) -> str | None:
        """The words with which this call was denied; None = it was not."""
        return self._calls.get(key)

    def refuse(self, path: str, hunk: Hunk, comment: str) -> None:
        """A part of a change was refused."""
        self.accept(path, hunk)
        self._parts.append(Refusal(path, hunk.old, hunk.new, hunk.old_start, comment))

    def accept(self, path: str, hunk: Hunk) -> None:
        """A part was not refused: what was said of it before holds no more."""
        if known := self.refused(path, hunk):
            self._parts.remove(known)

    def refused(self, path: str, hunk: Hunk) -> Refusal | None:
        """How this very part was refused; None = it was not."""
        same = (path, hunk.old, hunk.new)
        known = [one for one in self._parts if (one.path, one.old, one.new) == same]
        off = {abs(one.line - hunk.old_start): one for one in known}
        return off[min(off)] if off and min(off) <= NEAR_LINES else None

    def knows(self, path: str) -> bool:
        """Whether a part of a change to that file was refused."""
        return any(one.path == path for one in self._parts)

    def new_words(self) -> None:
        """The person has said something: what they refused before may be asked about."""
        self._calls.clear()
        self._parts = [replace(one, holds=False) for one in self._parts]

    def forget(self) -> None:
        """All of it."""
        self._calls.clear()
        self._parts.clear()
