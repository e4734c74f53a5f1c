"""What a headless run came to: a fold of its events, and the exit code that follows from it."""

import time
from typing import Any

import msgspec
from msgspec.structs import replace

from qcode.engine.approval import allowing
from qcode.headless import exits
from qcode.headless.exits import ExitCode
from qcode.protocol.access import NETWORK_CALL
from qcode.protocol.ahead import Ahead
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    BudgetReached,
    Compacted,
    ContextChanged,
    Elided,
    LoopSeen,
    MessageCompleted,
    ModelChanged,
    Repaired,
    Retried,
    SessionStarted,
    Steered,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    Usage,
    Verified,
)
from qcode.protocol.messages import UNSAID, AssistantMessage, ToolCall, UserMessage
from qcode.tools.structured import NAME, value_of

RAISED_BY = {
    "max_steps": " --max-turns N sets another.",
    "max_tool_calls": " --max-tool-calls N sets another.",
    "max_wall_time": " --max-wall-time TIME sets another.",
    "loop": " Say it in other words, or let it go on: --loops off.",
}
"""`TurnFinished.reason` -> the flag that moves a limit, to stand behind its sentence."""
WAITING = " With --unattended qcode waits for a server that went away."


class Denial(msgspec.Struct, frozen=True):
    """A call that was not allowed."""

    call: ToolCall
    because: str
    allowing: str = ""
    """The flags that would have allowed it; empty = none would, a rule or the mode denies it."""


class Sums(msgspec.Struct):
    """Tokens and seconds over all answers. Tokens that no server told count as 0."""

    prompt: int = 0
    cached: int = 0
    generated: int = 0
    reread: int = 0
    reread_why: list[str] = msgspec.field(default_factory=list)
    ahead: int = 0
    ahead_seconds: float = 0.0
    restored: int = 0
    answering_seconds: float = 0.0

    def add(self, usage: Usage) -> None:
        """Count one answer."""
        self.prompt += usage.prompt_tokens or 0
        self.cached += usage.cached_tokens or 0
        self.generated += usage.generated_tokens or 0
        self.reread += usage.reread_tokens or 0
        ahead = usage.ahead or Ahead()
        self.ahead += ahead.tokens
        self.ahead_seconds += ahead.seconds + ahead.loading_seconds
        self.restored += ahead.restored_tokens
        if usage.reread_tokens:
            self.reread_why.append(f"{usage.reread_tokens} tokens: {usage.reread_why}")


class Result(msgspec.Struct):
    """Grows with each event; complete once `end` is there."""

    session: SessionStarted | None = None
    """As it began, with the model that answers now and its context as last told."""
    answer: str = ""
    """Text of the last answer that asked for no calls; what was cut off heads what goes on."""
    last_text: str = ""
    """Text of the last answer that had any."""
    steps: int = 0
    calls: int = 0
    sums: Sums = msgspec.field(default_factory=Sums)
    last_usage: Usage | None = None
    edited: dict[str, None] = msgspec.field(default_factory=dict)
    """Paths in the order of their first change."""
    denials: list[Denial] = msgspec.field(default_factory=list)
    repairs: list[Repaired] = msgspec.field(default_factory=list)
    retries: list[str] = msgspec.field(default_factory=list)
    loops: list[LoopSeen] = msgspec.field(default_factory=list)
    budgets: list[BudgetReached] = msgspec.field(default_factory=list)
    compactions: list[Elided | Compacted] = msgspec.field(default_factory=list)
    verified: Verified | None = None
    end: TurnFinished | None = None
    began: float = msgspec.field(default_factory=time.monotonic)
    structured: Any = None
    """The value that the model gave by the schema."""
    is_structured: bool = False
    """Whether it gave one."""
    _has_turn: bool = False
    _cut_off: str = ""
    """Text of the last answer, if the token limit ended it."""
    _open: dict[str, ToolCall] = msgspec.field(default_factory=dict)
    _asked: dict[str, Denial] = msgspec.field(default_factory=dict)
    """By the number of the request."""
    _denied: dict[str, Denial] = msgspec.field(default_factory=dict)
    """By the call's id."""

    def take(self, event: AnyEvent) -> None:
        """Fold one event in."""
        match event:
            case SessionStarted():
                self.session = event
            case ModelChanged(model=model, server=server):
                self._now(model=model, server=server)
            case ContextChanged(context_tokens=context_tokens):
                self._now(context_tokens=context_tokens)
            case TurnStarted():
                self._has_turn = True
            case MessageCompleted(message, _, seconds):
                self.steps += message.finish != "closed"  # its other half is to come
                self.sums.answering_seconds += seconds
                self._said(message)
            case Usage():
                self.sums.add(event)
                self.last_usage = event
            case ToolCallStarted(call):
                self._open[call.id] = call
            case ApprovalRequested(request_id, call, accesses, because):
                self._asked[request_id] = Denial(call, because, allowing(accesses))
            case ApprovalSettled(request_id, "deny", because):
                self._refused(self._asked.pop(request_id), because)
            case ToolCallFinished():
                self._finished(event)
            case Repaired():
                self.repairs.append(event)
            case Retried(_, because):
                self.retries.append(because)
            case LoopSeen():
                self.loops.append(event)
            case BudgetReached():
                self.budgets.append(event)
            case Elided() | Compacted():
                self.compactions.append(event)
            case Verified(exit_code=exit_code):
                self.verified = event
                if exit_code != 0:
                    self._taken_back()
            case Steered(UserMessage(origin="steer")):
                self._taken_back()
            case TurnFinished():
                self.end = event

    def _now(self, **told: str | int | None) -> None:
        if self.session:
            self.session = msgspec.structs.replace(self.session, **told)

    def _said(self, message: AssistantMessage) -> None:
        if message.text == UNSAID:
            return
        text = self._cut_off + message.text
        self.last_text = text or self.last_text
        self.answer = "" if message.calls else text
        self._cut_off = self.answer if message.finish == "length" else ""

    def _refused(self, asked: Denial, because: str) -> None:
        denial = replace(asked, because=f"{asked.because}; {because}")
        if asked.call.name == NETWORK_CALL:  # it will have no result
            self.denials.append(denial)
        else:
            self._denied[asked.call.id] = denial

    def _finished(self, event: ToolCallFinished) -> None:
        self.calls += 1
        self.edited.update(dict.fromkeys(event.edited))
        message = event.message
        call = self._open.pop(message.call_id, None)
        denied = self._denied.pop(message.call_id, None)
        if call and call.name == NAME and message.status == "ok":
            self._given(call)
        if message.status == "denied" and call:
            self.denials.append(denied or Denial(call, message.text))

    def _given(self, call: ToolCall) -> None:
        """The value is the answer, whatever else was said."""
        self.structured, self.is_structured = value_of(msgspec.json.decode(call.arguments)), True
        self.answer = msgspec.json.encode(self.structured).decode()

    def _taken_back(self) -> None:
        """The engine wants a value anew."""
        if self.is_structured:
            self.structured, self.is_structured, self.answer = None, False, ""

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self.began

    @property
    def resumable(self) -> str:
        """The session in which the turn can go on; empty = no turn began, or none is kept."""
        return self.session_id if self._has_turn else ""

    @property
    def session_id(self) -> str:
        """Empty = no session is kept, or not even its first line could be written."""
        lost = self.end and self.end.error == "SessionNotSaved" and not self._has_turn
        return self.session.session_id if self.session and not lost else ""

    def why(self, code: ExitCode) -> str:
        """A sentence on why the run failed; empty = it did not."""
        if code is ExitCode.OK:
            return ""
        if code is ExitCode.INTERRUPTED:
            return "Interrupted."
        if code is ExitCode.TERMINATED:
            return "Terminated."
        detail = self.end.detail if self.end else ""
        reason = self.end.reason if self.end else "error"
        if reason == "end_turn" and self.answer.strip():
            return ""  # the turn went well, what came after it did not
        if not detail and reason == "loop":
            detail = "The model repeated itself and was stopped."
        if not detail and not self.answer.strip():
            detail = "The model gave no answer."
        if self.steps and self.end and self.end.error == "ServerGone":
            detail += WAITING
        if reason in RAISED_BY and detail[-1:] not in (".", ""):
            detail += "."
        return detail + RAISED_BY.get(reason, "")

    def exit_code(self) -> ExitCode:
        """Never OK with an empty result."""
        if self.end is None:
            return ExitCode.FAILED
        code = exits.of_turn(self.end.reason, self.end.error)
        if code is ExitCode.OK and not self.answer.strip():
            return ExitCode.FAILED
        return code
