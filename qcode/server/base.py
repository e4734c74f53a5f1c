"""The contract between the engine and whatever answers at a base URL.

The engine sees only this file; `client.py` and the adapters keep the rest to themselves.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from qcode.protocol.events import (
    Notice,
    PromptProgress,
    ReasoningDelta,
    Repaired,
    Retried,
    ServerState,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from qcode.protocol.messages import AssistantMessage

Strategy = Literal["native", "fold", "plain"]
"""How history is sent so that it renders as it was generated; see `engine.history`."""


class ServerFacts(msgspec.Struct, frozen=True):
    """What was found out about a server and its model, once per start."""

    kind: str
    """Key of `quirks.QUIRKS`: `llamacpp`, `generic`, …"""
    version: str
    """Such as `b11549`; empty = not told."""
    base_url: str
    """Ends in `/v1`, without a slash after it."""
    model: str
    models: tuple[str, ...]
    context_tokens: int | None
    """The loaded context of one slot, None = not told."""
    strategy: Strategy
    strategy_why: str
    """How the strategy was chosen, for people: `seen by rendering`, `server cannot render`."""
    reasoning_field: str
    """Name under which past reasoning is sent back; empty = the server takes none."""
    slots: int | None = None
    context_from: str = ""
    """Where `context_tokens` was read, for people: `/props`, `/api/ps`, `configuration`."""
    trained_tokens: int | None = None
    """The longest context that the model was made for, None = not told."""
    trained_from: str = ""
    """Where `trained_tokens` was read, for people."""
    vision: bool | None = None
    """Whether the model takes images, None = not told."""
    continues: bool = False
    """Whether the server takes a `Request.closed`."""
    picked_why: str = ""
    """Why this model of several, for people: `loaded`, `the only one`, `named`."""
    unheeded: frozenset[str] = frozenset()
    """What it takes and was measured not to do: sampling values by our names, `budget` (it does not
    hold a thinking budget), `thinking` (its switch switches nothing)."""
    refused: frozenset[str] = frozenset()
    """Fields of a body that this server was seen to refuse; they are not sent again."""
    separates: bool | None = None
    """Whether reasoning was seen to come apart from the words, in a field of its own; None = not
    seen yet."""
    loaded: bool | None = None
    """Whether the model is in memory now, None = not told."""
    asked_context: int | None = None
    """Tokens of context that each request has the server load, always as many; None = the context
    is the server's own matter."""


class Request(msgspec.Struct, frozen=True):
    """One request, in the server's own words: `engine.history` has rendered it."""

    model: str
    messages: Sequence[Mapping[str, Any]]
    """OpenAI messages, the system message first. Not changed, not copied."""
    tools: Sequence[Mapping[str, Any]]
    """OpenAI tool envelopes; empty = none offered."""
    thinking_budget: int | None = None
    """Tokens of reasoning; 0 = thinking off, None = as the server has it."""
    first_budget: int | None = None
    """The budget that the run began with, where switch and effort stand in front of the prompt
    (`Family.frozen`): they follow this one, and only the limit follows `thinking_budget`."""
    sampling: Mapping[str, float | int] = msgspec.field(default_factory=dict)
    """By our names (`fields.SAMPLING`); a server is sent those that it honours, in its spelling."""
    max_tokens: int | None = None
    """Upper bound of the answer, reasoning included."""
    closed: str = ""
    """Reasoning that this answer has had already and that is at its end: the model goes on behind
    it. Only where `ServerFacts.continues`; the `Answer` holds it as its Reasoning."""
    extra: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """Fields of the body that are sent as they are; they win over all others."""
    strategy: Strategy | None = None
    """How the messages are shaped; None = as the server's facts have it."""


Flaw = Literal["", "half_call", "lost_call"]
"""What an answer lacks, though it ended: `half_call` = a call was written as text and not to its
end (it is left out of the text); `lost_call` = the server said `tool_calls` and sent none."""


class Answer(msgspec.Struct, frozen=True):
    """The last thing that a stream yields."""

    message: AssistantMessage
    usage: Usage
    seconds: float
    flaw: Flaw = ""


Streamed = (
    ServerState
    | PromptProgress
    | ReasoningDelta
    | TextDelta
    | ToolCallDelta
    | Retried
    | Repaired
    | Notice
    | Answer
)


class Warmed(msgspec.Struct, frozen=True):
    """What reading ahead came to."""

    prompt_tokens: int
    """Of all that was to be read."""
    cached_tokens: int
    """Of these, the server had so many already."""
    seconds: float
    slot: int | None
    """Where it stands now; None = not told, or it was not read to its end."""
    loads: bool = False
    """Nothing was read, but the model was loaded."""


class Cold(msgspec.Struct, frozen=True):
    """Nothing was read ahead."""

    because: str
    """A clause, for the log file."""
    again: bool = False
    """It may be otherwise in a while: somebody else is being answered."""
    sleeps: bool = False
    """The model left the memory, and a request brings it back."""


Told = Callable[[ServerState], None]


def silent(state: ServerState) -> None:
    """Tell nobody."""


class Server(Protocol):
    """One endpoint with one model."""

    async def facts(self, told: Told = silent) -> ServerFacts:
        """Probe once and remember; `told` hears of it while a model loads.

        Raises ServerGone, CredentialsRefused, UnknownModel.
        """
        ...

    def stream(self, request: Request) -> AsyncGenerator[Streamed, None]:
        """Send `request` and yield what comes; the last item is an `Answer`.

        Resets, 5xx and "loading" are retried inside, each told as `Retried` or `ServerState`.
        Raises `ServerError`s. Closing the iterator or cancelling the task closes the connection
        at once, so that the server stops generating.
        """
        ...

    async def end_reasoning(self) -> bool:
        """Have the running answer close its reasoning and go on, inside the server.

        False = this server cannot, or nothing runs: the caller closes the stream and sends
        `Request.closed` instead.
        """
        ...

    async def count(self, text: str) -> int | None:
        """Tokens of `text` by the server's own tokenizer; None = it does not count."""
        ...

    async def count_request(self, request: Request) -> int | None:
        """Tokens of the prompt that `request` makes; None = the server does not count those."""
        ...

    async def warm(self, request: Request, mark: str, least: float = 0.0) -> Warmed | Cold:
        """Have the server read what `request` renders to, up to where `mark` stands in it, and
        answer nothing. Where the server has less than this share of it already, it is left unread.

        Only where this is known to work and costs nobody money; never while the server answers
        somebody else, and it wakes no model. Never raises; cancelled, what was read stays.
        """
        ...

    async def keep_slot(self, slot: int, name: str) -> int:
        """Have the server write what `slot` holds to its file `name`; tokens, 0 = it does not."""
        ...

    async def restore_slot(self, name: str) -> int:
        """The way back, to a slot that rests; tokens, 0 = it does not."""
        ...

    async def fingerprint(self) -> str:
        """What must be the same for a slot's file to fit: model and build in one word; empty = the
        server keeps none, or does not tell."""
        ...

    async def known(self, wait_seconds: float = 0.0) -> ServerFacts | None:
        """The facts as they stand; nothing is asked for it. None = not found yet.

        A server that told little when it was found, its model not in memory, is looked at once
        more behind its first answer; `wait_seconds` for that to end, if it is under way.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...
