"""What came of an answer, all channels together -> the parts of its message. Pure.

Servers file things in the wrong place: calls in the text or in the reasoning, reasoning in the
text, text in the reasoning. Here it is decided, once the answer has ended, what is what.
"""

import json
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from qcode.protocol.events import Repaired
from qcode.protocol.messages import ToolCall
from qcode.protocol.names import bare, folded
from qcode.server.base import Flaw
from qcode.server.chunks import is_json_object
from qcode.server.content import pieces_of
from qcode.server.offered import Offered
from qcode.server.openings import OPENER, is_only_tags
from qcode.server.pieces import Piece
from qcode.server.reasoning import joined, without_marks

Thinking = Literal["on", "off", "unknown"]


class Came(msgspec.Struct, frozen=True):
    """An answer as it came."""

    reasoning: str
    """Of its own field."""
    head: str
    """Reasoning in marks at the head of the content."""
    pieces: Sequence[Piece]
    """The content behind it."""
    calls: Sequence[ToolCall]
    """Sent as calls."""
    nameless: int
    """Calls without a name, left out of `calls`."""
    finish: str
    """In the server's words."""
    thinking: Thinking
    offered: Offered
    id_prefix: str


class Settled(msgspec.Struct, frozen=True):
    """An answer as it is stored."""

    reasoning: str
    text: str
    calls: tuple[ToolCall, ...]
    repairs: tuple[Repaired, ...] = ()
    flaw: Flaw = ""


class _Draft(msgspec.Struct):
    reasoning: str
    pieces: list[Piece]
    calls: list[ToolCall] = msgspec.field(default_factory=list)
    repairs: list[Repaired] = msgspec.field(default_factory=list)
    half: Piece | None = None
    is_mended: bool = False
    """Reasoning or text stood in the wrong place."""

    @property
    def text(self) -> str:
        return _text(self.pieces)


def settle(came: Came) -> Settled:
    """Put all in its place."""
    draft = _split(came)
    if came.calls or came.nameless:
        _beside_calls(draft, came)
    else:
        _leaked(draft, came)
    if came.finish == "length":
        _cut_by_limit(draft, came)
    if draft.is_mended:
        draft.repairs.append(Repaired("reasoning and text were told apart", kind="reasoning"))
    flaw = _flaw(draft, came)
    return Settled(draft.reasoning, draft.text, tuple(draft.calls), tuple(draft.repairs), flaw)


# Reasoning and text.


def _split(came: Came) -> _Draft:
    """Reasoning out of the content, and the other way round where thinking was off."""
    reasoning, pieces, later = without_marks(came.reasoning), list(came.pieces), []
    closes = [at for at, piece in enumerate(pieces) if piece.kind == "close"]
    if closes and (came.thinking != "off" or not _raw(pieces[: closes[0]]).strip()):
        later.append(_raw(pieces[: closes[0]]).strip("\n"))
        del pieces[: closes[0] + 1]
        pieces = _led(pieces)
    later += [piece.raw.strip("\n") for piece in pieces if piece.kind == "reasoning"]
    pieces = [replace(each, raw="") if each.kind == "reasoning" else each for each in pieces]
    draft = _Draft(joined(reasoning, came.head, *later), pieces)
    draft.is_mended = reasoning != came.reasoning or bool(came.head or closes or later)
    if came.thinking == "off" and not _raw(pieces).strip() and not came.calls and draft.reasoning:
        # older vLLM files a plain answer under reasoning (PR 35982)
        draft.pieces = pieces_of(draft.reasoning, came.offered)
        draft.reasoning, draft.is_mended = "", True
    return draft


def _led(pieces: list[Piece]) -> list[Piece]:
    """Without the blank lines at the head, which are the template's."""
    at = next(
        (at for at, each in enumerate(pieces) if each.kind != "text" or each.raw.strip("\n")), 0
    )
    if not pieces or pieces[at].kind != "text":
        return pieces[at:]
    return [replace(pieces[at], raw=pieces[at].raw.lstrip("\n")), *pieces[at + 1 :]]


# Calls.


def _beside_calls(draft: _Draft, came: Came) -> None:
    """The server sent calls: what looks like one in the text is a copy of these, or text."""
    draft.calls = list(came.calls)
    if came.nameless:
        what = "a tool call without a name was left out"
        draft.repairs.append(Repaired(what, kind="lost_call"))
    kept = []
    for piece in draft.pieces:
        is_copy = piece.kind == "call" and any(_is_same(piece, call) for call in came.calls)
        if not is_copy:
            kept.append(Piece("text", piece.raw))
    if is_only_tags(_raw(kept)) or len(kept) < len(draft.pieces):
        kept = [piece for piece in kept if not is_only_tags(piece.raw)]
    draft.pieces = _without_last_tags(kept) if came.calls else kept


def _without_last_tags(pieces: list[Piece]) -> list[Piece]:
    while pieces and is_only_tags(pieces[-1].raw):
        pieces = pieces[:-1]
    return pieces


def _is_same(piece: Piece, call: ToolCall) -> bool:
    if folded(bare(piece.name)) != folded(bare(call.name)):
        return False
    try:
        return bool(json.loads(piece.arguments) == json.loads(call.arguments))
    except (ValueError, RecursionError):
        return piece.arguments == call.arguments


def _leaked(draft: _Draft, came: Came) -> None:
    _take(draft, draft.pieces, came, "leaked_call")
    if not draft.calls and draft.half is None and not draft.text.strip():
        _from_reasoning(draft, came)


def _take(
    draft: _Draft,
    pieces: Sequence[Piece],
    came: Came,
    kind: Literal["leaked_call", "reasoning_call"],
) -> None:
    where = "text" if kind == "leaked_call" else "reasoning"
    for piece in pieces:
        if piece.kind == "half":
            draft.half = piece
        elif piece.kind == "call":
            call_id = f"{came.id_prefix}{len(draft.calls)}"
            draft.calls.append(ToolCall(call_id, piece.name, piece.arguments))
            what = f"a call of {piece.name} that stood in the {where} was taken as a call"
            draft.repairs.append(Repaired(what, call_id, kind))


def _from_reasoning(draft: _Draft, came: Came) -> None:
    """Calls with which the reasoning ends: there the model forgot to close it. Elsewhere it only
    thinks of them."""
    if not OPENER.search(draft.reasoning) and '"name"' not in draft.reasoning:
        return
    pieces = pieces_of(draft.reasoning, came.offered)
    start = len(pieces)
    while start and (_is_offered(pieces[start - 1], came.offered) or _is_blank(pieces[start - 1])):
        start -= 1
    tail = pieces[start:]
    if all(map(_is_blank, tail)):
        return
    _take(draft, tail, came, "reasoning_call")
    draft.reasoning = _raw(pieces[:start]).rstrip()


def _is_offered(piece: Piece, offered: Offered) -> bool:
    if piece.kind == "half":
        return not piece.name or offered.has_begin(piece.name)
    return piece.kind == "call" and offered.has(piece.name)


def _is_blank(piece: Piece) -> bool:
    return piece.kind == "text" and not piece.raw.strip()


def _cut_by_limit(draft: _Draft, came: Came) -> None:
    """The limit fell into the last call, however whole it looks."""
    if not draft.calls or draft.half is not None:
        return
    *before, last = draft.calls
    if not came.calls and not _is_last(draft.pieces):
        return
    draft.calls = [call for call in before if is_json_object(call.arguments)]
    draft.repairs = [each for each in draft.repairs if each.call_id != last.id]
    size = len(last.arguments)
    what = f"the call of {last.name} was cut off at {size} characters and left out"
    draft.repairs.append(Repaired(what, last.id, "half_call"))
    if not came.calls:
        draft.half = Piece("half", "", "")


def _is_last(pieces: Sequence[Piece]) -> bool:
    """Whether no words follow the last call; a call out of the reasoning is always last."""
    behind = [piece for piece in reversed(pieces) if not _is_blank(piece)]
    return not behind or behind[0].kind == "call"


def _flaw(draft: _Draft, came: Came) -> Flaw:
    if draft.half is not None:
        if draft.half.raw:
            size = len(draft.half.raw)
            name = f" of {draft.half.name}" if draft.half.name else ""
            what = f"a call{name} that stood in the text was cut off at {size} characters"
            draft.repairs.append(Repaired(what, kind="half_call"))
        return "half_call"
    if came.finish == "tool_calls" and not draft.calls:
        what = "the server said that it sent a tool call, and sent none"
        draft.repairs.append(Repaired(what, kind="lost_call"))
        return "lost_call"
    return ""


def _raw(pieces: Sequence[Piece]) -> str:
    return "".join(piece.raw for piece in pieces)


def _text(pieces: Sequence[Piece]) -> str:
    """The words, without what calls and marks left around them."""
    if all(piece.kind in ("text", "close") for piece in pieces):
        return _raw(pieces)
    runs: list[list[str]] = [[]]
    for piece in pieces:
        if piece.kind in ("text", "close"):
            runs[-1].append(piece.raw)
        else:
            runs.append([])
    texts = [stripped for run in runs if (stripped := "".join(run).strip())]
    return "\n\n".join(texts)
