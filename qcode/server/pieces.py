"""What a text is made of, as it is told apart: words, calls, reasoning."""

from typing import Literal

import msgspec

from qcode.server.found import Found
from qcode.server.judgement import Place
from qcode.server.openings import LONE_CLOSE
from qcode.server.screen import Screen

OPEN, CLOSE = "<think>", "</think>"


class Piece(msgspec.Struct, frozen=True):
    """A stretch of the text, in order."""

    kind: Literal["text", "call", "half", "reasoning", "close"]
    """`half` = a call without its end; `close` = a `</think>` that no block here opened."""
    raw: str
    name: str = ""
    arguments: str = ""


class Pieces:
    """The pieces so far, each shown as far as it was not; and what stands before the next one."""

    def __init__(self, screen: Screen) -> None:
        self.all: list[Piece] = []
        self.calls = 0
        """How many of them are calls."""
        self._screen = screen
        self._words_before = ""
        self._has_words = False

    def place(self, *, in_span: bool) -> Place:
        """Where a call would stand that is opened now."""
        return Place(self._words_before, not self._has_words, in_span)

    def text(self, text: str) -> None:
        """Words, or what is taken for them."""
        if not text:
            return
        self.all.append(Piece("text", text))
        if text.strip():
            self._words_before, self._has_words = text, True
        self._screen.text(text)

    def prose(self, line: str) -> None:
        """A line outside of code: a `</think>` alone at its start or end is a mark."""
        mark = None if OPEN in line else LONE_CLOSE.search(line)
        if mark is None:
            self.text(line)
            return
        self.text(line[: mark.start()])
        self.all.append(Piece("close", CLOSE))
        self._screen.leave_out(CLOSE)
        self.text(line[mark.end() :])

    def blank(self) -> None:
        """A line of which nothing is left."""
        self.all.append(Piece("text", "\n"))

    def thought(self, raw: str) -> str:
        """A block of reasoning that is closed in `raw`; back comes what stands behind it."""
        inner, _, rest = raw.partition(CLOSE)
        inner = inner.removeprefix(OPEN)
        self.all.append(Piece("reasoning", inner))
        self._screen.reasoning(inner)
        return rest

    def open_thought(self, raw: str) -> None:
        """A block that is not closed: reasoning at the head of a text, later words about a mark."""
        if self._has_words:
            self.text(raw)
        else:
            self.all.append(Piece("reasoning", raw.removeprefix(OPEN)))

    def call(self, raw: str, found: Found) -> None:
        """A whole call, or a list of them: `raw` is the first one's."""
        for name, arguments in found.calls:
            self.all.append(Piece("call", raw, name, arguments))
            self._screen.call(name, self.calls, len(arguments))
            self.calls, raw = self.calls + 1, ""
        self._words_before = ""

    def half(self, raw: str, name: str) -> None:
        """A call in which the text ended."""
        self.all.append(Piece("half", raw, name))
