"""Inputs and events -> what goes on now: a small fold beside the transcript's. Pure."""

from collections.abc import Iterable

from msgspec.structs import replace

from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    Compacted,
    ContextChanged,
    Elided,
    MessageCompleted,
    ModeChanged,
    ModelChanged,
    NotBegun,
    Notice,
    PromptProgress,
    QuestionAsked,
    ReasoningDelta,
    Renamed,
    Retried,
    Returned,
    Rewound,
    ServerState,
    SessionStarted,
    SettingsChanged,
    ShellFinished,
    ShellStarted,
    Steered,
    StepStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    Usage,
)
from qcode.protocol.inputs import Begin, Compact, Input, Prompt, QuestionReply, Queue, Steer
from qcode.protocol.messages import UserMessage
from qcode.server.tokens import about
from qcode.session.prompts import spoken
from qcode.tui.rates import NO_PACE, Pace
from qcode.tui.status import OWN, Phase, Status
from qcode.tui.weighing import weigh

SLACK_TOKENS = 64
"""Tokens read again that are no news: the marks at the end of an answer count differently."""


def said(status: Status, given: Input, now: float) -> Status:
    """What the person said; the engine's first word on it may take its time."""
    match given:
        case Begin() if status.phase == "idle":
            return _to(status, "starting", now)
        case Prompt(text) | Queue(text) | Steer(text):
            status = replace(status, queued=(*status.queued, text))
            return _to(status, "starting", now) if status.phase == "idle" else status
        case Compact() if status.phase == "idle":
            return _to(status, "compacting", now)
        case QuestionReply():
            return _answered(status, now)
    return status


def follow(status: Status, event: AnyEvent, now: float) -> Status:
    """The status after `event`."""
    after = _follow(status, event, now)
    return after if after.counts else weigh(after, event)


def _follow(status: Status, event: AnyEvent, now: float) -> Status:
    match event:
        case ReasoningDelta(_, told, pieces):
            tokens = status.thought_tokens + pieces if told is None else told
            paced = replace(status, thought_tokens=tokens, pace=status.pace.add(pieces, now))
            return _to(paced, "thinking", now)
        case TextDelta(text):
            paced = replace(status, pace=status.pace.add(about(text), now))
            return _to(paced, "writing", now) if text.strip() else paced
        case ToolCallDelta(_, name, _, added):
            paced = replace(status, pace=status.pace.add(about(added), now))
            return _to(paced, "calling", now, name or status.detail)
        case PromptProgress():
            return _read(status, event, now)
        case ServerState():
            return _server(status, event, now)
        case StepStarted():
            fresh = replace(status, asked=True, progress=None, pace=NO_PACE, thought_tokens=0)
            known = 0 if status.estimated else status.used_tokens
            held = replace(fresh, prompt_tokens=known)
            return _to(held, "waiting", now)
        case Retried(_, because, wait):
            fresh = replace(status, pace=NO_PACE, thought_tokens=0, progress=None)
            return _to(fresh, "retrying" if wait else "waiting", now, because if wait else "")
        case Usage():
            return _use(status, event, now)
        case MessageCompleted():
            return _to(replace(status, asked=False), "waiting", now)
        case ToolCallStarted(call, summary):
            return _run(status, call.id, summary, now)
        case ToolCallFinished(message):
            return _ran(status, message.call_id, now)
        case ShellStarted(shell_id, command):
            return _run(status, shell_id, OWN + command, now)
        case ShellFinished(shell_id):
            return _ran(status, shell_id, now)
        case ApprovalRequested() | QuestionAsked():
            return _to(replace(status, open_requests=status.open_requests + 1), "asking", now)
        case ApprovalSettled():
            return _answered(status, now)
        case TurnStarted(turn, message):
            turns = (*status.held, (turn, status.used_tokens))
            begun = replace(_taken_up(status, message), turn_since=now, held=turns)
            return _to(begun, "waiting", now)
        case Steered(message):
            return _taken_up(status, message)
        case Returned(messages):
            return _returned(status, messages, now)
        case TurnFinished():
            return _rest(status, now)
        case _:
            return _know(status, event, now)


def _know(status: Status, event: AnyEvent, now: float) -> Status:
    """Facts that change no phase, mostly."""
    match event:
        case SessionStarted():
            known = replace(
                status,
                model=event.model,
                server=event.server,
                mode=event.mode,
                context_tokens=event.context_tokens,
                fence=event.fence,
                why_reread="the session goes on in a new run" if status.prompt_tokens else "",
            )
            return known if status.queued or status.turn_since is not None else _idle(known, now)
        case NotBegun():
            return _idle(status, now)
        case ModelChanged(model, server):
            why = "another model answers"
            return replace(status, model=model, server=server, why_reread=why)
        case ContextChanged(context):
            return replace(status, context_tokens=context)
        case SettingsChanged(budget):
            return replace(status, thinking_budget=budget)
        case ModeChanged(mode):
            return replace(status, mode=mode)
        case Renamed(name):
            return replace(status, name=name)
        case Compacted(tokens_after=tokens) | Elided(tokens_after=tokens):
            what = "was compacted" if isinstance(event, Compacted) else "lost old results"
            why = f"the conversation {what}"
            known = replace(status, prompt_tokens=tokens, pace=NO_PACE, why_reread=why)
            return known if status.turn_since is not None else _idle(known, now)
        case Rewound(turn):
            held = tuple(one for one in status.held if one[0] < turn)
            tokens = dict(status.held).get(turn, 0)
            back = replace(status, held=held, pace=NO_PACE, reused=None)
            if status.estimated:
                return replace(back, prompt_tokens=0, weighed=float(tokens) or status.weighed)
            return replace(back, prompt_tokens=tokens)
        case Notice(level) if level != "info" and status.phase == "compacting":
            between = status.turn_since is None and not status.queued
            return _to(status, "idle" if between else "waiting", now)
    return status


def _to(status: Status, phase: Phase, now: float, detail: str = "") -> Status:
    """In a phase; one that goes on keeps its beginning."""
    if (status.phase, status.detail) == (phase, detail):
        return status
    since = status.since if status.phase == phase == "calling" else now
    return replace(status, phase=phase, since=since, detail=detail)


def _idle(status: Status, now: float) -> Status:
    return _to(status, "idle", now)


def _rest(status: Status, now: float) -> Status:
    """The turn is over; what the person runs themselves may go on."""
    queued = status.queued if status.turn_since is not None else status.queued[1:]
    rested = replace(
        status, turn_since=None, asked=False, open_requests=0, progress=None, queued=queued
    )
    own = tuple(one for one in status.calls if one[1].startswith(OWN))
    rested = replace(rested, calls=own)
    return _to(rested, "running", now, own[-1][1]) if own else _idle(rested, now)


def _read(status: Status, event: PromptProgress, now: float) -> Status:
    """The server reads: for an answer, or, between two steps, for a summary."""
    if not status.asked:
        return _to(replace(status, progress=event), "compacting", now)
    if event.processed >= event.total:
        return _to(replace(status, progress=None, prompt_tokens=event.total), "waiting", now)
    held = status.prompt_tokens if status.progress is None else status.progress.total
    again = min(held, event.total) - event.cached > SLACK_TOKENS and status.progress is None
    known = replace(status, progress=event, prompt_tokens=event.total)
    if again or status.phase == "rereading":
        why = status.why_reread or "the server no longer had it"
        return _to(known, "rereading", now, why)
    return _to(known, "reading", now)


def _server(status: Status, event: ServerState, now: float) -> Status:
    match event.state:
        case "loading" | "waking":
            return _to(status, "loading", now)
        case "busy" | "gone":
            return _to(status, event.state, now)
    return _to(
        status, "idle" if status.turn_since is None and not status.queued else "waiting", now
    )


def _use(status: Status, event: Usage, now: float) -> Status:
    """As the server counted it. What is not told stays as it was; how fast it wrote can be seen."""
    prompt, cached = event.prompt_tokens, event.cached_tokens
    generated = float(event.generated_tokens or round(status.pace.tokens))
    known = replace(
        status,
        reused=cached / prompt if prompt and cached is not None else None,
        read_rate=event.prompt_per_second or status.read_rate,
        write_rate=event.generated_per_second or status.pace.rate(now) or status.write_rate,
        why_reread="",
    )
    if not status.asked:  # a summary's
        return known
    held = prompt or status.prompt_tokens
    counts = status.counts or bool(prompt)
    return replace(known, prompt_tokens=held, counts=counts, pace=Pace((), generated))


def _run(status: Status, id_: str, summary: str, now: float) -> Status:
    running = replace(status, calls=(*status.calls, (id_, summary)))
    if summary.startswith(OWN) and status.phase != "idle":
        return running
    return _to(running, "running", now, summary)


def _ran(status: Status, id_: str, now: float) -> Status:
    calls = tuple(one for one in status.calls if one[0] != id_)
    return _onward(replace(status, calls=calls), now)


def _answered(status: Status, now: float) -> Status:
    return _onward(replace(status, open_requests=max(0, status.open_requests - 1)), now)


def _onward(status: Status, now: float) -> Status:
    """The phase that is left when a call or a question is done with."""
    if status.open_requests:
        return _to(status, "asking", now)
    if status.phase not in ("running", "asking"):
        return status
    if status.calls:
        return _to(status, "running", now, status.calls[-1][1])
    return _to(status, "idle" if status.turn_since is None else "waiting", now)


def _taken_up(status: Status, message: UserMessage) -> Status:
    text = spoken(message)
    for at, words in enumerate(status.queued):
        if words.strip() == text:
            return replace(status, queued=(*status.queued[:at], *status.queued[at + 1 :]))
    return status


def _returned(status: Status, messages: Iterable[UserMessage], now: float) -> Status:
    for message in messages:
        status = _taken_up(status, message)
    waits = status.turn_since is not None or status.queued or status.phase != "starting"
    return status if waits else _idle(status, now)
