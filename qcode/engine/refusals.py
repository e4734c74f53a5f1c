"""What a person has refused, so that nobody asks them again before they have spoken."""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from qcode.protocol.events import DecidedPart
from qcode.workspace.review import Hunk

NEAR_LINES = 50
"""A part that stands farther off is another one, though its lines are the same: stanzas recur in a
file. Nearer by, the lines above it may have grown or shrunk."""


class Refusal(msgspec.Struct, frozen=True):
    """Of a part of a change."""

    path: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    line: int
    """Where it began."""
    comment: str
    holds: bool = True
    """The person has said nothing since; else they are asked about it once more."""


class Refusals(msgspec.Struct):
    """Calls and parts of changes that a person refused.

    The same again is answered from here, until the person says something: a prompt or a steer may
    be leave for what they refused, and nobody but them can tell. A mode that is set anew and a
    rewind let all of it be forgotten.
    """

    _calls: dict[str, str] = msgspec.field(default_factory=dict)
    """By what makes them the same: what the person said with it."""
    _parts: list[Refusal] = msgspec.field(default_factory=list)
    _news: list[DecidedPart] = msgspec.field(default_factory=list)
    """What the log has not been told yet."""

    @classmethod
    def remembered(cls, decided: Iterable[DecidedPart]) -> "Refusals":
        """As the log of a session tells them. Whoever goes on with it says something first."""
        made = cls()
        for one in decided:
            made._drop(one.path, one.old, one.new, one.line)
            if one.answer == "refused":
                refusal = Refusal(one.path, one.old, one.new, one.line, one.comment, holds=False)
                made._parts.append(refusal)
        return made

    def deny(self, key: str, words: str) -> None:
        """A call was denied."""
        self._calls[key] = words

    def denied(self, key: str) -> str | None:
        """The words with which this call was denied; None = it was not."""
        return self._calls.get(key)

    def refuse(self, path: str, hunk: Hunk, comment: str) -> None:
        """A part of a change was refused."""
        self._drop(path, hunk.old, hunk.new, hunk.old_start)
        self._parts.append(Refusal(path, hunk.old, hunk.new, hunk.old_start, comment))
        part = DecidedPart(path, hunk.old, hunk.new, hunk.old_start, "refused", comment)
        self._news.append(part)

    def accept(self, path: str, hunk: Hunk) -> None:
        """A part was not refused: what was said of it before holds no more."""
        if self._drop(path, hunk.old, hunk.new, hunk.old_start):
            self._news.append(DecidedPart(path, hunk.old, hunk.new, hunk.old_start, "accepted"))

    def news(self) -> tuple[DecidedPart, ...]:
        """What was decided since this was asked last, for the log."""
        told = tuple(self._news)
        self._news.clear()
        return told

    def refused(self, path: str, hunk: Hunk) -> Refusal | None:
        """How this very part was refused; None = it was not."""
        return self._find(path, hunk.old, hunk.new, hunk.old_start)

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

    def _find(
        self, path: str, old: tuple[str, ...], new: tuple[str, ...], line: int
    ) -> Refusal | None:
        same = (path, old, new)
        known = [one for one in self._parts if (one.path, one.old, one.new) == same]
        off = {abs(one.line - line): one for one in known}
        return off[min(off)] if off and min(off) <= NEAR_LINES else None

    def _drop(self, path: str, old: tuple[str, ...], new: tuple[str, ...], line: int) -> bool:
        """Forget one; False = it was not known."""
        known = self._find(path, old, new, line)
        if known is not None:
            self._parts.remove(known)
        return known is not None
