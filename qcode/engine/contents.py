"""What fills the context window, by kind. Pure, but not quick: to be called in a thread.

Each text is weighed by its looks, then all are scaled to what the server counted, so the sum is
right and the parts are estimates.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from qcode.engine.room import IMAGE_TOKENS, pictures, roughly
from qcode.protocol.events import AnyEvent, SessionStarted
from qcode.protocol.messages import AssistantMessage, Message, ToolMessage
from qcode.server.tokens import about
from qcode.session.conversation import Conversation
from qcode.session.prompts import facts_ahead

KINDS = (
    "system text",
    "tools",
    "workspace and instructions",
    "your words",
    "qcode's words",
    "reasoning",
    "answers",
    "calls",
    "results",
    "pictures",
)


class Contents(msgspec.Struct, frozen=True):
    """Tokens by kind, in the order of `KINDS`; kinds that are not there are left out."""

    shares: Mapping[str, int]
    total: int
    context_tokens: int | None
    """Loaded by the server; None = it did not say."""
    counted: bool
    """The sum is the server's own count, but for what came since."""

    @property
    def free(self) -> int | None:
        """None = the maximum is not known."""
        return None if self.context_tokens is None else max(0, self.context_tokens - self.total)


def contents(events: Iterable[AnyEvent], context_tokens: int | None = None) -> Contents:
    """What the next prompt of a session holds. `events`: all that its log has."""
    talk = Conversation()
    for event in events:
        talk.apply(event)
        if isinstance(event, SessionStarted):
            context_tokens = context_tokens or event.context_tokens
    return weighed(talk, context_tokens)


def weighed(talk: Conversation, context_tokens: int | None = None) -> Contents:
    """What the next prompt of `talk` holds."""
    weights = _weights(talk)
    whole = sum(weights.values())
    counted = bool(talk.last_usage and talk.last_usage.prompt_tokens)
    total = roughly(talk) if counted else round(whole)
    scale = total / whole if whole else 0.0
    shares = {kind: round(weights[kind] * scale) for kind in KINDS if weights.get(kind)}
    return Contents(shares, total, context_tokens, counted)


def weight(message: Message) -> float:
    """Tokens of a message by its looks."""
    return sum(weight for _, weight in _one(message))


def head_weight(told: SessionStarted) -> float:
    """The same of what stands ahead of all messages."""
    return sum(weight for _, weight in _head(told))


def _weights(talk: Conversation) -> dict[str, float]:
    weights: dict[str, float] = {}
    for kind, weight in (*_head(talk), *(each for one in talk.messages for each in _one(one))):
        weights[kind] = weights.get(kind, 0.0) + weight
    return weights


def _head(talk: Conversation | SessionStarted) -> Iterator[tuple[str, float]]:
    yield "system text", about(talk.system)
    for tool in talk.tools:
        yield "tools", about(f"{tool.name} {tool.description} {tool.parameters}")


def _one(message: Message) -> Iterator[tuple[str, float]]:
    if isinstance(message, AssistantMessage):
        yield "reasoning", about(message.reasoning)
        yield "answers", about(message.text)
        for call in message.calls:
            yield "calls", about(f"{call.name} {call.arguments}")
    elif isinstance(message, ToolMessage):
        yield "results", about(message.text)
    else:
        ahead = facts_ahead(message)
        own = "your words" if message.origin in ("prompt", "steer") else "qcode's words"
        yield "workspace and instructions", about(ahead)
        yield own, about(message.text[len(ahead) :])
        yield "pictures", float(IMAGE_TOKENS * pictures(message))
