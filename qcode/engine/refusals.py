"""What a person has refused, so that nobody asks them again."""

from dataclasses import dataclass, field

from qcode.workspace.review import Hunk

Lines = tuple[str, tuple[str, ...], tuple[str, ...]]
"""Path, old lines, new lines."""


@dataclass(slots=True)
class Refusals:
    """Calls that were denied in this turn, and parts of changes that were refused in this session.

    The person says otherwise by words (calls), by setting the mode anew or by a rewind (both).
    """

    _calls: dict[str, str] = field(default_factory=dict)
    """By what makes them the same: what the person said with it."""
    _hunks: dict[Lines, str] = field(default_factory=dict)

    def deny(self, key: str, words: str) -> None:
        """A call was denied."""
        self._calls[key] = words

    def denied(self, key: str) -> str | None:
        """The words with which this call was denied; None = it was not."""
        return self._calls.get(key)

    def refuse(self, path: str, hunk: Hunk, comment: str) -> None:
        """A part of a change was refused."""
        self._hunks[path, hunk.old, hunk.new] = comment

    def refused(self, path: str, hunk: Hunk) -> str | None:
        """The comment with which this very part was refused; None = it was not."""
        return self._hunks.get((path, hunk.old, hunk.new))

    def knows(self, path: str) -> bool:
        """Whether a part of a change to that file was refused."""
        return any(refused == path for refused, _, _ in self._hunks)

    def new_words(self) -> None:
        """The person has said something: a call that they denied before may be asked about."""
        self._calls.clear()

    def forget(self) -> None:
        """All of it."""
        self._calls.clear()
        self._hunks.clear()
