"""What of a text is shown while it streams: all but what may be the beginning of a call.

A line of prose is shown as it comes, up to the first sign that might open a call; once the whole
line is told apart, the rest of it follows.
"""

from typing import Literal

import msgspec

from qcode.server.openings import held_from

_LONGEST_TAIL = 40
"""So much is enough to tell that a line is no mere prose."""


class Show(msgspec.Struct, frozen=True):
    """For the eye: text or reasoning as it comes; or that a call is written."""

    kind: Literal["text", "reasoning", "call"]
    text: str = ""
    """The call's name, where it is one."""
    index: int = 0
    characters: int = 0
    added: str = ""
    """What came of the call since it was last shown."""


class Screen:
    """Follows the line that has not ended, and collects what may be shown."""

    def __init__(self) -> None:
        self.shown = 0
        """Characters of the line that has not ended."""
        self.is_held = False
        """The rest of that line is held back, whatever it is."""
        self._tail = ""  # what of the line is held back
        self._ahead = 0  # characters of the line being told apart that were shown before
        self._shows: list[Show] = []

    def take(self) -> list[Show]:
        """What may be shown now."""
        shows, self._shows = self._shows, []
        return shows

    def grow(self, text: str, *, in_fence: bool) -> None:
        """The line grows by `text` and is prose so far."""
        if self.is_held:
            return
        tail = self._tail + text
        if in_fence or (self.shown and "<" not in tail):  # by far the most
            self._tail = ""
            self._grow(tail)
            return
        at = held_from(tail, is_line_start=not self.shown)
        self._grow(tail[:at])
        self._tail = tail[at:]
        self.is_held = len(self._tail) > _LONGEST_TAIL

    def _grow(self, text: str) -> None:
        if text:
            self.shown += len(text)
            self._shows.append(Show("text", text))

    def end_line(self) -> None:
        """The line is whole: it is told apart now."""
        self._tail, self.is_held = "", False
        self._ahead, self.shown = self.shown, 0

    def begin_line(self) -> None:
        """It has been told apart."""
        self._ahead = 0

    def text(self, text: str) -> None:
        """The next part of the line is text: what of it was not shown before is shown."""
        fresh = text[self._ahead :]
        self.leave_out(text)
        if fresh:
            self._shows.append(Show("text", fresh))

    def leave_out(self, text: str) -> None:
        """The next part of the line is nothing to show."""
        self._ahead = max(0, self._ahead - len(text))

    def reasoning(self, text: str) -> None:
        """The next part is reasoning."""
        self._shows.append(Show("reasoning", text))

    def call(self, name: str, index: int, characters: int, added: str = "") -> None:
        """A call is written, or was found."""
        self._shows.append(Show("call", name, index, characters, added))
