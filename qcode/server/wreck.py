"""Calls whose body cannot be read at all: at the end of a text, such a one went wrong."""

from qcode.server.offered import Offered
from qcode.server.openings import MALFORMED, is_only_tags
from qcode.server.pieces import Piece

_MOST_PIECES = 4
"""Of an opening whose tags were given up one by one: wrapper, line end, function, line end."""


class Wreck:
    """Where in the pieces the last opening stands that was given up as text."""

    def __init__(self, pieces: list[Piece]) -> None:
        self._pieces = pieces
        self._start: int | None = None

    def begins(self) -> None:
        """An opening is given up now, unless it belongs to the one before it."""
        if not self._is_one_opening():
            self._start = len(self._pieces)

    def is_over(self) -> None:
        """A call could be read behind it: it was words."""
        self._start = None

    def cut(self, offered: Offered) -> None:
        """The text ended: what cannot be read, of a tool that is offered, is half a call. With an
        ellipsis in it, words about the format."""
        if self._start is None:
            return
        pieces = self._pieces[self._start :]
        raw = "".join(piece.raw for piece in pieces)
        match = MALFORMED.fullmatch(raw)
        if match is None or "..." in raw or "…" in raw:
            return
        if all(piece.kind == "text" for piece in pieces) and offered.has(match["name"]):
            self._pieces[self._start :] = [Piece("half", raw, match["name"])]

    def _is_one_opening(self) -> bool:
        if self._start is None or len(self._pieces) - self._start > _MOST_PIECES:
            return False
        return is_only_tags("".join(piece.raw for piece in self._pieces[self._start :]))
