"""What a session took so far, in figures. A fold of events, all of them in the log, so that a
session that goes on shows the same as if it had never ended. No Textual."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from qcode.protocol.ahead import Ahead
from qcode.protocol.events import (
    AnyEvent,
    BudgetReached,
    Compacted,
    Elided,
    LoopSeen,
    MessageCompleted,
    Repaired,
    Retried,
    SessionStarted,
    ToolCallFinished,
    TurnStarted,
    Usage,
)
from qcode.protocol.messages import AssistantMessage


class Step(msgspec.Struct, frozen=True):
    """One answer, as its server counted it. 0 = it did not say."""

    prompt: int
    generated: int
    read_rate: float
    """Tokens a second."""
    write_rate: float


class Reread(msgspec.Struct):
    """What was read again for one reason."""

    times: int = 0
    tokens: int = 0


class Used(msgspec.Struct):
    """How one tool was used."""

    calls: int = 0
    failed: int = 0
    """Errors; what was denied or cancelled is no failure."""
    seconds: float = 0.0


class Seconds(msgspec.Struct):
    """Where the time went."""

    reading: float = 0.0
    """Up to the first sign of each answer, as far as servers tell."""
    thinking: float = 0.0
    """The rest of each answer, by its share of characters; so is writing."""
    writing: float = 0.0
    tools: float = 0.0
    """With the waits for approval."""


class Stats(msgspec.Struct):
    """Sums of a session. Changed only by `take`."""

    turns: int = 0
    steps: list[Step] = msgspec.field(default_factory=list)
    read: int = 0
    """Tokens that were new to the server, or new again."""
    cached: int = 0
    """Tokens that its cache had."""
    generated: int = 0
    ahead: int = 0
    """Of the cached ones, those that were read while nobody waited."""
    ahead_seconds: float = 0.0
    """What that took."""
    loading_seconds: float = 0.0
    """Of a model that was loaded before it was asked for anything."""
    restored: int = 0
    """Of the cached ones, those that a server took back from its disk."""
    rereads: dict[str, Reread] = msgspec.field(default_factory=dict)
    """By the reason, as it was told."""
    repairs: Counter[str] = msgspec.field(default_factory=Counter)
    """By kind."""
    loops: int = 0
    lost: int = 0
    """Tokens thrown away because of loops."""
    retries: int = 0
    closed: Counter[str] = msgspec.field(default_factory=Counter)
    """Reasoning that was ended, by why: budget, person, loop."""
    rooms: int = 0
    """Compactions, and droppings of old results."""
    tools: dict[str, Used] = msgspec.field(default_factory=dict)
    seconds: Seconds = msgspec.field(default_factory=Seconds)
    context_tokens: int | None = None
    _first_token: float = 0.0
    """Of the answer that is about to be completed."""

    @property
    def reread(self) -> int:
        """Tokens read again, for whatever reason."""
        return sum(one.tokens for one in self.rereads.values())

    def take_all(self, events: Iterable[AnyEvent]) -> None:
        """Take in all of them, in their order."""
        for event in events:
            self.take(event)

    def take(self, event: AnyEvent) -> None:
        """Take in the next event."""
        match event:
            case SessionStarted():
                self.context_tokens = event.context_tokens or self.context_tokens
            case TurnStarted():
                self.turns += 1
            case Usage():
                self._use(event)
            case MessageCompleted():
                self._complete(event.message, event.seconds)
            case ToolCallFinished():
                self._call(event)
            case Repaired(kind=kind):
                self.repairs[kind] += 1
            case Retried():
                self.retries += 1
            case LoopSeen(cost_tokens=cost):
                self.loops += 1
                self.lost += cost
            case BudgetReached(why=why):
                self.closed[why] += 1
            case Compacted() | Elided():
                self.rooms += 1

    def _use(self, event: Usage) -> None:
        prompt, cached = event.prompt_tokens or 0, event.cached_tokens or 0
        generated = event.generated_tokens or 0
        self.read += prompt - cached
        self.cached += cached
        self.generated += generated
        ahead = event.ahead or Ahead()
        self.ahead += ahead.tokens
        self.ahead_seconds += ahead.seconds
        self.restored += ahead.restored_tokens
        self.loading_seconds += ahead.loading_seconds
        rates = event.prompt_per_second or 0.0, event.generated_per_second or 0.0
        self.steps.append(Step(prompt, generated, *rates))
        self._first_token = event.first_token_seconds or 0.0
        if event.reread_tokens:
            one = self.rereads.setdefault(event.reread_why or "no reason is known", Reread())
            one.times += 1
            one.tokens += event.reread_tokens

    def _complete(self, message: AssistantMessage, seconds: float) -> None:
        first, self._first_token = min(self._first_token, seconds), 0.0
        calls = sum(len(call.arguments) for call in message.calls)
        whole = len(message.reasoning) + len(message.text) + calls
        thinking = (seconds - first) * len(message.reasoning) / max(whole, 1)
        self.seconds.reading += first
        self.seconds.thinking += thinking
        self.seconds.writing += seconds - first - thinking

    def _call(self, event: ToolCallFinished) -> None:
        used = self.tools.setdefault(event.message.name, Used())
        used.calls += 1
        used.failed += event.message.status == "error"
        used.seconds += event.seconds
        self.seconds.tools += event.seconds
