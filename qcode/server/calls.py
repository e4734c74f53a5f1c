"""Tool calls put together from their pieces, by every way in which servers number them.

Names are replaced, never joined: llama.cpp sends a name again when its parser changes its mind.
Arguments stay the text that the model wrote.
"""

import re
from typing import Any

import msgspec

from qcode.protocol.messages import ToolCall
from qcode.server.chunks import CallPiece, is_json_object
from qcode.server.failures import Unusable

_SUM = 2
"""All calls of an answer may have so many times the arguments that one may have."""
_SIGN = re.compile(r'["\\{}\[\]]')


class _Brackets:
    """Counts them as pieces come, so that a text is parsed only once it can be whole."""

    def __init__(self) -> None:
        self.is_closed = False
        """The first bracket has its partner."""
        self.is_over = False
        """Something stands behind that."""
        self._depth = 0
        self._in_string = False
        self._skip = 0  # characters at the head of the next piece that a backslash covers

    def feed(self, text: str) -> None:
        if self.is_closed:
            self.is_over = self.is_over or bool(text.strip())
            return
        skip_to = self._skip
        for match in _SIGN.finditer(text):
            at, sign = match.start(), match[0]
            if at < skip_to:
                continue
            if self._in_string:
                skip_to = at + 2 if sign == "\\" else skip_to
                self._in_string = sign != '"'
            elif sign == '"':
                self._in_string = True
            elif sign != "\\":
                self._depth += 1 if sign in "{[" else -1
                if self._depth == 0:
                    self.is_closed = True
                    self.is_over = bool(text[at + 1 :].strip())
                    return
        self._skip = max(0, skip_to - len(text))


class Slot(msgspec.Struct, eq=False):
    """One call in the making."""

    index: int | None
    id: str = ""
    name: str = ""
    pieces: list[str] = msgspec.field(default_factory=list)
    characters: int = 0
    last: str = ""
    """The piece that came last; empty = it brought no arguments."""
    _unseen: list[str] = msgspec.field(default_factory=list)
    _brackets: _Brackets = msgspec.field(default_factory=_Brackets)
    _is_valid: bool | None = None

    def add(self, text: str) -> None:
        """One more piece of the arguments."""
        self.last = text
        if text:
            self.pieces.append(text)
            self._unseen.append(text)
            self.characters += len(text)

    @property
    def arguments(self) -> str:
        """The text so far."""
        if len(self.pieces) > 1:
            self.pieces = ["".join(self.pieces)]
        return self.pieces[0] if self.pieces else ""

    @property
    def is_whole(self) -> bool:
        """Whether the arguments are one whole JSON object. Looks at each piece once."""
        for text in self._unseen:
            self._brackets.feed(text)
        self._unseen.clear()
        if not self._brackets.is_closed or self._brackets.is_over:
            return False
        if self._is_valid is None:
            self._is_valid = is_json_object(self.arguments)
        return self._is_valid


class Calls:
    """The calls of one answer, in the order in which they appeared."""

    def __init__(self, most: int, most_characters: int) -> None:
        self._most = most
        self._most_characters = most_characters
        self._characters = 0
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
        slot.add(text)
        self._characters += len(text)
        if slot.characters > self._most_characters:
            raise Unusable(f"the arguments of a call exceed {self._most_characters:,} characters")
        if self._characters > _SUM * self._most_characters:
            most = _SUM * self._most_characters
            raise Unusable(f"the arguments of all calls exceed {most:,} characters")
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
