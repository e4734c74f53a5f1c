"""The turns of a session in short: what was asked, and what was answered last."""

from collections.abc import Iterable

import msgspec

from qcode.protocol.events import AnyEvent, MessageCompleted, TurnStarted
from qcode.session.conversation import fold
from qcode.session.envelope import UnknownEvent
from qcode.session.prompts import spoken


class Said(msgspec.Struct, frozen=True):
    """One turn in short."""

    turn: int
    prompt: str
    answer: str
    """The last words of the model; empty = there were none."""


def said(events: Iterable[AnyEvent | UnknownEvent]) -> tuple[Said, ...]:
    """The turns of the conversation as it stands, rewound ones left out."""
    events = tuple(events)
    live = set(fold(events).live_turns)
    turns: dict[int, Said] = {}
    turn = 0
    for event in events:
        if isinstance(event, TurnStarted):
            turn = event.turn
            turns[turn] = Said(turn, spoken(event.message), "")
        elif isinstance(event, MessageCompleted) and event.message.text and turn in turns:
            turns[turn] = Said(turn, turns[turn].prompt, event.message.text)
    return tuple(turns[turn] for turn in sorted(turns) if turn in live)
