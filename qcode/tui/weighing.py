"""How much the conversation holds by its looks, where the server counts no tokens. Pure."""

from msgspec.structs import replace

from qcode.protocol.events import (
    AnyEvent,
    Compacted,
    Elided,
    MessageCompleted,
    SessionStarted,
    Steered,
    ToolCallFinished,
    TurnStarted,
)
from qcode.tui.rates import NO_PACE
from qcode.tui.status import Status

_TELLING = (
    SessionStarted,
    TurnStarted,
    MessageCompleted,
    ToolCallFinished,
    Steered,
    Compacted,
    Elided,
)


def weigh(status: Status, event: AnyEvent) -> Status:
    """With what `event` adds. A thousand characters take 0.07 ms: only until the server counts."""
    if not isinstance(event, _TELLING):
        return status
    # 5 ms that the first paint would wait for; by the first of these the engine has loaded it
    from qcode.engine.contents import head_weight, weight  # noqa: PLC0415 - reason above

    match event:
        case SessionStarted():  # of one that goes on it comes again
            return replace(status, weighed=status.weighed or head_weight(event))
        case MessageCompleted(message):
            more = replace(status, answered=True, pace=NO_PACE)
            return replace(more, weighed=status.weighed + weight(message))
        case TurnStarted(message=message) | Steered(message) | ToolCallFinished(message):
            return replace(status, weighed=status.weighed + weight(message))
        case Compacted(tokens_after=tokens) | Elided(tokens_after=tokens):
            return replace(status, weighed=float(tokens))
    return status
