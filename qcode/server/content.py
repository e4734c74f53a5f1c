"""The content of an answer, as it streams: reasoning at its head, text, and calls within it."""

from io import StringIO
from typing import Literal

from qcode.server.offered import Offered
from qcode.server.pieces import Piece
from qcode.server.reasoning import Splitter
from qcode.server.screen import Show
from qcode.server.textcalls import TextCalls

Begin = Literal["start", "opened"]
"""`opened`: within the reasoning."""


class Content:
    """Feed it the content's pieces, then finish."""

    def __init__(self, offered: Offered, begin: Begin = "start") -> None:
        """`begin`: how it begins where no reasoning came in a field of its own."""
        self._offered = offered
        self._begin: Begin = begin
        self._text = TextCalls(offered)
        self._splitter: Splitter | None = None
        self._is_open = False
        self._reasoning = StringIO()
        self._is_finished = False
        self.size = 0
        """Characters fed."""

    def feed(self, text: str, reasoning_before: str | None = None) -> list[Show]:
        """What may be shown now. `reasoning_before`: of the field, with the first piece."""
        self.size += len(text)
        if self._splitter is None:
            before = (reasoning_before or "").rstrip()
            begin: Begin = "start" if before else self._begin
            self._is_open = before.endswith("<think>") or begin == "opened"
            self._splitter = Splitter("reasoning" if before.endswith("<think>") else begin)
        if self._splitter.is_done:
            return self._text.feed(text)
        shows: list[Show] = []
        for kind, piece in self._splitter.feed(text):
            shows += self._take(kind, piece)
        return shows

    def finish(self, *, is_cut: bool = False) -> list[Show]:
        """Nothing follows; `is_cut`: though more was to come."""
        if self._is_finished:
            return []
        self._is_finished = True
        shows: list[Show] = []
        if self._splitter:
            for kind, piece in self._splitter.finish():
                shows += self._take(kind, piece)
            if self._is_open and not self._splitter.is_closed and not is_cut:
                self._give_back()
        return shows + self._text.finish()

    @property
    def reasoning(self) -> str:
        """What stood in marks at the head."""
        return self._reasoning.getvalue().rstrip("\n")

    @property
    def has_reasoning(self) -> bool:
        """A mark stood in it that ends a reasoning."""
        is_closed = self._splitter is not None and self._splitter.is_closed
        return is_closed or any(piece.kind == "close" for piece in self.pieces)

    @property
    def pieces(self) -> list[Piece]:
        """All behind it, once it is finished."""
        return self._text.pieces

    @property
    def calls(self) -> int:
        """How many calls were found so far."""
        return self._text.calls

    def _take(self, kind: str, piece: str) -> list[Show]:
        if kind == "text":
            return self._text.feed(piece)
        self._reasoning.write(piece)
        return [Show("reasoning", piece)]

    def _give_back(self) -> None:
        """No mark closed what was taken for reasoning: it was an answer after all."""
        self._text.feed(self._reasoning.getvalue())
        self._reasoning = StringIO()


def pieces_of(text: str, offered: Offered) -> list[Piece]:
    """What a whole text is made of."""
    reader = TextCalls(offered)
    reader.feed(text)
    reader.finish()
    return reader.pieces
