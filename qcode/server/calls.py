"""Tool calls put together from their pieces, by every way in which servers number them.

Names are replaced, never joined: llama.cpp sends a name again when its parser changes its mind.
Arguments stay the text that the model wrote.
"""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from qcode.protocol.messages import ToolCall
from qcode.server.chunks import CallPiece, is_json_object
from qcode.server.failures import Unusable


@dataclass(slots=True, eq=False)
class Slot:
    """One call in the making."""

    index: int | None
    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    characters: int = 0
    last: str = ""
    """The piece that came last; empty = it brought no arguments."""

    @property
    def arguments(self) -> str:
        """The text so far."""
        if len(self.pieces) > 1:
            self.pieces = ["".join(self.pieces)]
        return self.pieces[0] if self.pieces else ""

    @property
    def is_whole(self) -> bool:
        """Whether the arguments are one whole JSON object."""
        return bool(self.pieces) and is_json_object(self.arguments)


class Calls:
    """The calls of one answer, in the order in which they appeared."""

    def __init__(self, most: int, most_characters: int) -> None:
        self._most = most
        self._most_characters = most_characters
        self.slots: list[Slot] = []

    def add(self, piece: CallPiece) -> Slot | None:
        """Put a piece where it belongs; None = it repeats what is there."""
        name = piece.function.name if piece.function and piece.function.name else ""
        text = _text(piece.function.arguments) if piece.function else ""
        slot = self._find(piece, name, text)
        if slot is None:
            return None
        slot.id = piece.id or slot.id
        slot.name = name or slot.name
        slot.last = text
        if text:
            slot.pieces.append(text)
            slot.characters += len(text)
        if slot.characters > self._most_characters:
            raise Unusable(f"the arguments of a call exceed {self._most_characters:,} characters")
        return slot

    def position(self, slot: Slot) -> int:
        """Number of a slot among the calls, from 0."""
        return self.slots.index(slot)

    def finished(self, id_prefix: str) -> list[ToolCall]:
        """The calls; one without a name is left out, one without an id of its own gets one."""
        calls: list[ToolCall] = []
        taken: set[str] = set()
        for at, slot in enumerate(slot for slot in self.slots if slot.name):
            call_id = slot.id if slot.id and slot.id not in taken else f"{id_prefix}{at}"
            taken.add(call_id)
            calls.append(ToolCall(call_id, slot.name, slot.arguments))
        return calls

    def _find(self, piece: CallPiece, name: str, text: str) -> Slot | None:
        slot = self._named_by(piece)
        if slot is None:
            return self._fresh(piece, name, text)
        if not (piece.id or name):  # a plain piece of arguments: by far the most
            return slot
        if piece.id and slot.id and piece.id != slot.id:
            return self._fresh(piece, name, text)
        if not slot.is_whole:
            return self._fresh(piece, name, text) if _begins(piece, slot, name) else slot
        if piece.id or (name == slot.name and text in ("", slot.arguments)):
            return None if is_json_object(text) or not text else slot
        return self._fresh(piece, name, text)

    def _named_by(self, piece: CallPiece) -> Slot | None:
        """The slot that index or id point at; with neither, the one that is still open."""
        newest = self.slots[::-1]
        if piece.index is not None:
            by_id = (s for s in newest if piece.id and s.id == piece.id and s.index == piece.index)
            at_index = (s for s in newest if s.index == piece.index)
            return next(by_id, None) or next(at_index, None)
        if piece.id:
            return next((s for s in newest if s.id == piece.id), None)
        return next((s for s in newest if not s.is_whole), newest[0] if newest else None)

    def _fresh(self, piece: CallPiece, name: str, text: str) -> Slot | None:
        same = (s for s in self.slots if piece.id and (s.id, s.name) == (piece.id, name))
        if any(slot.is_whole and slot.arguments == text for slot in same):
            return None  # the whole call a second time
        return self._open(piece)

    def _open(self, piece: CallPiece) -> Slot:
        if len(self.slots) >= self._most:
            raise Unusable(f"an answer asks for more than {self._most} tools at once")
        self.slots.append(Slot(piece.index))
        return self.slots[-1]


def _begins(piece: CallPiece, slot: Slot, name: str) -> bool:
    """With neither index nor id, a name begins the next call."""
    return piece.index is None and not piece.id and bool(name and slot.name)


def _text(arguments: Any) -> str:
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else msgspec.json.encode(arguments).decode()
