"""What the engine says. One stream feeds screen, scripts, log and tests.

Order of a turn:

    TurnStarted
      StepStarted  (ServerState | PromptProgress | Retried)*  (ReasoningDelta | TextDelta)*
        Usage  MessageCompleted
        per call: ToolCallStarted  [ApprovalRequested  ApprovalSettled]
                  ToolCallProgress*  ToolCallFinished
        Steered*
      ...
    TurnFinished

Logged: all but the deltas, the progress and the state of the server (`FLEETING`). The conversation
is a fold of the log.
"""

from typing import Literal

import msgspec

from qcode.protocol.access import Access
from qcode.protocol.ahead import Ahead
from qcode.protocol.display import Block, OutputBlock
from qcode.protocol.messages import AssistantMessage, ToolCall, ToolMessage, ToolSpec, UserMessage


class Event(msgspec.Struct, frozen=True, tag=True):
    """Base of all events; the tag is the class's name."""


class Parent(msgspec.Struct, frozen=True):
    """Where a forked session comes from."""

    session_id: str
    event: int
    """Number of the last event in the parent's log that the fork shares."""


class SessionStarted(Event, frozen=True):
    """First line of a log. Nothing comes before it; before each resumed run it comes again."""

    session_id: str
    version: str
    """qcode's own."""
    folder: str
    model: str
    server: str
    """Kind and version as found, such as `llamacpp b11549`; empty = not known yet."""
    system: str
    """The system text, frozen for the session. A resumed one sends the same bytes, unless it is
    this qcode that writes another text now; then a Notice says that all is read again once."""
    tools: tuple[ToolSpec, ...]
    mode: str
    parent: Parent | None = None
    context_tokens: int | None = None
    """The loaded context; None = not told."""
    fence: Literal["", "holds", "none", "off"] = ""
    """What stands around commands; `off` = the user gave it up, empty = not told."""


class TurnStarted(Event, frozen=True):
    """A prompt was taken up. `StepStarted` follows."""

    turn: int
    """From 1, counted over the whole session."""
    message: UserMessage


class StepStarted(Event, frozen=True):
    """A request goes to the model. Deltas follow."""

    turn: int
    step: int
    """From 1 within the turn."""
    thinking_budget: int | None = None
    """Tokens, as the settings have it; 0 = thinking off, None = not told."""


class ServerState(Event, frozen=True):
    """The server loads its model, wakes it, is busy with others, gone, or back. Not an error."""

    state: Literal["loading", "waking", "busy", "gone", "back"]
    detail: str = ""
    seconds: float = 0.0
    """How long the state has lasted."""


class PromptProgress(Event, frozen=True):
    """The server reads the prompt. Before the first delta of a step."""

    total: int
    """Tokens of the whole prompt."""
    cached: int
    """Of these, found in the server's cache."""
    processed: int
    """Cached and newly read so far."""
    seconds: float


class TextDelta(Event, frozen=True):
    """A streamed piece of the answer."""

    text: str


class ReasoningDelta(Event, frozen=True):
    """A streamed piece of the thinking."""

    text: str
    tokens_so_far: int | None = None
    """Generated in this answer up to here, where the server counts as it streams."""
    pieces: int = 1
    """As many fragments of the stream were joined in this delta: it has so many tokens at least."""


class ToolCallDelta(Event, frozen=True):
    """The model is writing a call. For the eye: the call itself is in `MessageCompleted`."""

    index: int
    name: str
    """As far as known."""
    characters: int
    """Length of its arguments so far."""
    added: str = ""
    """The piece of its arguments that is new."""


class Usage(Event, frozen=True):
    """The cost of one answer, just before its `MessageCompleted`. None = the server did not say."""

    prompt_tokens: int | None
    cached_tokens: int | None
    generated_tokens: int | None
    prompt_per_second: float | None = None
    generated_per_second: float | None = None
    first_token_seconds: float | None = None
    """From sending the request to the first delta."""
    reread_tokens: int | None = None
    """Tokens that the server had and read again."""
    reread_why: str = ""
    ahead: Ahead | None = None
    """None = nothing."""


class MessageCompleted(Event, frozen=True):
    """One answer of the model, whole. Its deltas came before it and are not logged."""

    message: AssistantMessage
    prompt_tokens: int
    """As the server counted them; 0 = it did not say."""
    seconds: float
    """Wall clock, from the request to the last byte."""


class ToolCallStarted(Event, frozen=True):
    """A call of the last message is taken up."""

    call: ToolCall
    summary: str
    """One line for people: `edit src/a.py`."""
    accesses: tuple[Access, ...] = ()
    """Resolved."""


class ToolCallProgress(Event, frozen=True):
    """Output of a running call, as it comes."""

    call_id: str
    text: str


class DecidedPart(msgspec.Struct, frozen=True):
    """A part of a change that a person refused, or accepted though they had refused it before."""

    path: str
    """As shown, from the root."""
    old: tuple[str, ...]
    """Lines with their ends, context too; likewise `new`."""
    new: tuple[str, ...]
    line: int
    """Where it begins in the old text, from 1."""
    answer: Literal["refused", "accepted"] = "refused"
    comment: str = ""


class ToolCallFinished(Event, frozen=True):
    """A call has its result. Every call gets exactly one, also when it was denied or cancelled."""

    message: ToolMessage
    blocks: tuple[Block, ...] = ()
    seconds: float = 0.0
    edited: tuple[str, ...] = ()
    """Paths that the call changed, from the root."""
    decided: tuple[DecidedPart, ...] = ()
    """What is remembered of the person's decisions about its change: refused parts are not let
    pass unasked when they come again, in a session that is resumed either."""


class ProposedCall(msgspec.Struct, frozen=True):
    """A call that waits behind the one that is asked about, and what it would change."""

    call_id: str
    text: str
    """One line for people: `edit src/a.py`."""
    blocks: tuple[Block, ...]
    """As in `ApprovalRequested`."""


class ApprovalRequested(Event, frozen=True):
    """A call waits for a person. `ApprovalSettled` follows."""

    request_id: str
    call: ToolCall
    accesses: tuple[Access, ...]
    because: str
    blocks: tuple[Block, ...] = ()
    """What would change, where that can be told beforehand: a `DiffBlock` for each file."""
    rules: tuple[str, ...] = ()
    """What `session` and `project` would add, one for each simple command; empty = no rule can
    say it, and only this call can be allowed."""
    folder: str = ""
    """Where a command would run."""
    behind: tuple[str, ...] = ()
    """The calls of the same answer that wait behind it, commands whole, with line breaks if they
    have some; see `scope="batch"`."""
    where: Literal["", "inside", "outside"] = ""
    """Of a command, where there is a fence: `inside` = it would run in it, and the person may
    allow it outside instead, this once; `outside` = by their settings it runs outside."""
    proposed: tuple[ProposedCall, ...] = ()
    """With `blocks`: of the calls in `behind`, those whose change can be told by now, at most one
    for each file. `ApprovalReply.also` may answer them."""


class ApprovalSettled(Event, frozen=True):
    """The reply is in, or nobody could be asked."""

    request_id: str
    answer: Literal["allow", "deny"]
    because: str
    scope: Literal["once", "batch", "session", "project"] = "once"
    """See `ApprovalReply.scope`."""
    rules: tuple[str, ...] = ()
    """What allows the like from here on, for this session or for good."""


class Connected(Event, frozen=True):
    """A way out was asked for, once a host, port and answer in a run; `qcode audit` lists them."""

    host: str
    port: int
    by: Literal["endpoint", "command", "fetch", "user"]
    """The model's server; a command inside the fence; the tool; a person who opened a way into the
    fence to themselves (`/port`)."""
    answer: Literal["allow", "deny", "closed"]
    """`closed`: the person has taken back what they had opened."""
    because: str = ""
    commands: tuple[str, ...] = ()
    """Where a command asked: the lines of those that ran then, each cut where it is long. One of
    them it was; a proxy is not told which."""


class QuestionAsked(Event, frozen=True):
    """The model asks the person; the turn waits for a `QuestionReply`."""

    request_id: str
    question: str
    choices: tuple[str, ...] = ()


RepairKind = Literal[
    "arguments",  # syntax, encoding, types or field names of a call
    "name",  # a tool's name
    "leaked_call",  # a call that was written as text
    "reasoning_call",  # a call that was written inside the reasoning
    "half_call",  # a call that was not written to its end, and was asked for again
    "lost_call",  # a call that the server announced and did not send
    "reasoning",  # `<think>` marks, reasoning filed under text or text under reasoning
    "unread_end",  # the server could not parse the end of its own answer
    "empty",  # nothing after the thinking
    "idle",  # announced and not done
    "other",
]


class Repaired(Event, frozen=True):
    """Something malformed in an answer was mended before it was stored."""

    what: str
    call_id: str = ""
    kind: RepairKind = "other"


class Retried(Event, frozen=True):
    """The request is sent again: the deltas since `StepStarted` are void."""

    attempt: int
    """From 1."""
    because: str
    wait_seconds: float


class LoopSeen(Event, frozen=True):
    """The model repeats itself. On rung 2 to 4 the deltas since `StepStarted` are void."""

    kind: Literal["reasoning", "text", "arguments", "calls"]
    detail: str
    """What was repeated, cut to a line."""
    did: str = ""
    """What was done about it, as a sentence."""
    rung: int = 0
    """1 = it goes on behind its closed reasoning, or behind the results that told it of its calls;
    2 to 4 = asked again; 0 = nothing was left to do."""
    cost_tokens: int = 0
    """Generated and thrown away; an estimate where the server does not count."""


class BudgetReached(Event, frozen=True):
    """The reasoning is closed and the answer follows: budget used up, or a person said so."""

    budget: int
    used: int
    why: Literal["budget", "person", "loop"] = "budget"


class Steered(Event, frozen=True):
    """Words were appended after the last tool result."""

    message: UserMessage


class Returned(Event, frozen=True):
    """Words that waited, and wait no more: a person took them back (`Cancel`, `Unqueue`), and no
    turn will have them. Behind `Cancel` the end of the turn follows, if one ran."""

    messages: tuple[UserMessage, ...]
    """Steers first, then what was queued; each in the order in which it was said."""


class Verified(Event, frozen=True):
    """The verify command ran after the last edit."""

    command: str
    exit_code: int | None
    """None = it did not end by itself."""
    attempt: int
    """From 1."""
    tail: str


class ModeChanged(Event, frozen=True):
    """Another permission mode holds from here on."""

    mode: str


class ModelChanged(Event, frozen=True):
    """Another model answers from here on."""

    model: str
    server: str


class ContextChanged(Event, frozen=True):
    """The loaded context is not what SessionStarted said of it: another server answers, or its
    model came into memory only with the first prompt."""

    context_tokens: int | None
    """None = not told."""
    source: str = ""
    """Where it was read, for people: `/props`, `/api/ps`, `configuration`."""


class NotBegun(Event, frozen=True):
    """`Begin` did not succeed. The next prompt, or another `Begin`, tries again."""

    text: str
    """What happened and what to do."""
    error: str
    """Class name of the `QcodeError`, such as `ServerGone`; empty = it was cancelled."""


class SettingsChanged(Event, frozen=True):
    """What the next request asks for, from here on: behind SessionStarted, and whenever a person
    or another model changes it."""

    thinking_budget: int
    """Tokens; 0 = thinking off."""
    max_tokens: int
    """Upper bound of one answer."""
    sampling: dict[str, float] = {}
    """The values as they are sent, by our names; empty = the model is not known yet."""


class ShellStarted(Event, frozen=True):
    """A command of the person's own runs (`RunShell`). `ToolCallProgress` with its id follows."""

    shell_id: str
    command: str


class ShellFinished(Event, frozen=True):
    """A command of the person's own has ended."""

    shell_id: str
    block: OutputBlock
    share: Literal["keep", "tell"] = "keep"
    """`tell` = the next prompt begins with it."""
    text: str = ""
    """With `tell`: the words that the next prompt begins with, command and output."""


class Compacted(Event, frozen=True):
    """Old messages were replaced by a summary; the log keeps them."""

    summary: UserMessage
    kept: int
    """Messages at the end of the conversation that stay as they were."""
    tokens_before: int
    tokens_after: int


class Elided(Event, frozen=True):
    """Old tool results and old reasoning left the conversation, to make room; the log keeps them.

    Of the first `messages` messages each tool result longer than `result_characters` is replaced
    by a note that says so, and reasoning is dropped. Calls, words and prompts stay.
    """

    messages: int
    result_characters: int
    tokens_before: int
    tokens_after: int
    """An estimate."""


class CheckpointTaken(Event, frozen=True):
    """Files were kept as they were before a change."""

    checkpoint_id: str
    paths: tuple[str, ...]


class Rewound(Event, frozen=True):
    """The conversation goes on from before `turn`; the log keeps what came after."""

    turn: int
    files: tuple[str, ...] = ()
    """Paths that were put back."""


class Renamed(Event, frozen=True):
    """The session has a name."""

    name: str


class Notice(Event, frozen=True):
    """A sentence for the person."""

    level: Literal["info", "warning", "error"]
    text: str


TurnEnd = Literal[
    "end_turn",  # the model asked for no more tools
    "cancelled",
    "max_steps",
    "max_tool_calls",
    "max_tokens",
    "max_wall_time",
    "denied",  # three steps running in which every call was denied
    "loop",
    "empty",  # no words and no calls, also after the retries
    "idle",  # announced and not done, or no call came whole, also when told so
    "verify_failed",
    "structured",  # no value that fits the schema, also after the retries
    "error",
]


class TurnFinished(Event, frozen=True):
    """The turn rests. Nothing follows until the next input."""

    reason: TurnEnd
    detail: str = ""
    """A sentence when the reason is not `end_turn`."""
    error: str = ""
    """Class name of the `QcodeError` behind `error`; front ends map it to an exit code."""


FLEETING = (
    TextDelta,
    ReasoningDelta,
    ToolCallDelta,
    PromptProgress,
    ToolCallProgress,
    ServerState,
    ContextChanged,
    NotBegun,
    SettingsChanged,
    Returned,
)
"""Events for the eye only: never in the log."""

LoggedEvent = (
    SessionStarted
    | TurnStarted
    | StepStarted
    | Usage
    | MessageCompleted
    | ToolCallStarted
    | ToolCallFinished
    | ApprovalRequested
    | ApprovalSettled
    | QuestionAsked
    | Repaired
    | Retried
    | LoopSeen
    | BudgetReached
    | Steered
    | Verified
    | Connected
    | ModeChanged
    | ModelChanged
    | Compacted
    | Elided
    | ShellStarted
    | ShellFinished
    | CheckpointTaken
    | Rewound
    | Renamed
    | Notice
    | TurnFinished
)

AnyEvent = (
    LoggedEvent
    | TextDelta
    | ReasoningDelta
    | ToolCallDelta
    | PromptProgress
    | ToolCallProgress
    | ServerState
    | ContextChanged
    | NotBegun
    | SettingsChanged
    | Returned
)
