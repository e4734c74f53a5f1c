"""Neighbouring deltas joined, so that a screen which reads in batches draws once for all. Pure."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from qcode.protocol.events import (
    AnyEvent,
    PromptProgress,
    ReasoningDelta,
    ServerState,
    TextDelta,
    ToolCallDelta,
    ToolCallProgress,
)


def coalesce(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    """The same story in fewer events: no order changes, only neighbours of one kind are joined."""
    joined: list[AnyEvent] = []
    for kind, group in groupby(events, key=_kind):
        run = list(group)
        joined += [_joined(run)] if kind else run
    return joined


def _kind(event: AnyEvent) -> tuple[Any, ...]:
    """What neighbours must have in common to be joined; empty = it stands alone."""
    match event:
        case TextDelta() | ReasoningDelta() | PromptProgress():
            return (type(event),)
        case ToolCallDelta(index):
            return (ToolCallDelta, index)
        case ToolCallProgress(call_id):
            return (ToolCallProgress, call_id)
        case ServerState(state):
            return (ServerState, state)
    return ()


def _joined(run: Sequence[AnyEvent]) -> AnyEvent:
    """One event for several of a kind; of those that tell of a state the last one."""
    last = run[-1]
    if len(run) == 1:
        return last
    match last:
        case TextDelta():
            return TextDelta(_texts(run))
        case ReasoningDelta():
            pieces = sum(one.pieces for one in run if isinstance(one, ReasoningDelta))
            return ReasoningDelta(_texts(run), _told(run), pieces)
        case ToolCallProgress(call_id):
            return ToolCallProgress(call_id, _texts(run))
        case ToolCallDelta(index, _, characters):
            deltas = [one for one in run if isinstance(one, ToolCallDelta)]
            name = next((one.name for one in reversed(deltas) if one.name), "")
            return ToolCallDelta(index, name, characters, "".join(one.added for one in deltas))
    return last


def _texts(run: Sequence[AnyEvent]) -> str:
    return "".join(
        one.text for one in run if isinstance(one, TextDelta | ReasoningDelta | ToolCallProgress)
    )


def _told(run: Sequence[AnyEvent]) -> int | None:
    """The last count of tokens that is known, with what came after it."""
    behind = 0
    for one in reversed(run):
        if isinstance(one, ReasoningDelta):
            if one.tokens_so_far is not None:
                return one.tokens_so_far + behind
            behind += one.pieces
    return None
