"""What a server tells once its model is in memory, taken into a session that goes on. Pure.

How long its context is and whether it sees holds at once. How history is shaped may change between
two turns alone, and only where that changes nothing of what the server has read.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec.structs import replace

from qcode.protocol.messages import AssistantMessage, Message
from qcode.server.base import ServerFacts
from qcode.server.shape import last_query

Moment = Literal["step", "turn"]
"""Before the next request of a turn, or between two turns."""


def renewed(
    before: ServerFacts, found: ServerFacts, moment: Moment, messages: Sequence[Message]
) -> ServerFacts:
    """`found`, less what cannot be taken now; what a person configured stays."""
    unheeded = before.unheeded | found.unheeded
    facts = replace(found, model=before.model, unheeded=unheeded)
    if before.context_from == "configuration":
        facts = replace(facts, context_tokens=before.context_tokens, context_from="configuration")
    if moment == "turn" and _may_reshape(before, found, messages):
        return facts
    return replace(
        facts,
        strategy=before.strategy,
        strategy_why=before.strategy_why,
        reasoning_field=before.reasoning_field,
    )


def _may_reshape(before: ServerFacts, found: ServerFacts, messages: Sequence[Message]) -> bool:
    """Whether all that was sent so far renders as it did.

    `native` sends what `plain` does. `fold` brings back the reasoning before the last query, which
    the template has left out of the prompts so far; another field all of it.
    """
    if before.strategy != "plain":
        return before.strategy == found.strategy
    is_same = before.reasoning_field == found.reasoning_field
    if is_same and found.strategy != "fold":
        return True
    changed = messages[: max(0, last_query(messages))] if is_same else messages
    return not any(isinstance(one, AssistantMessage) and one.reasoning for one in changed)
