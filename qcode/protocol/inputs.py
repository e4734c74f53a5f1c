"""What a front end says to the engine. Frozen, serialisable values: no callback, no future."""

from typing import Literal

import msgspec

from qcode.protocol.messages import Image


class Begin(msgspec.Struct, frozen=True, tag=True):
    """Find the server and read the workspace now, so that the first prompt need not wait for it.

    `SessionStarted` follows, or `NotBegun`; it may be said again after that.
    """


class Prompt(msgspec.Struct, frozen=True, tag=True):
    """Begin a turn; while one runs it is queued."""

    text: str
    images: tuple[Image, ...] = ()


class Steer(msgspec.Struct, frozen=True, tag=True):
    """Words for the running turn: appended after its last tool result. Idle: begins a turn."""

    text: str


class Queue(msgspec.Struct, frozen=True, tag=True):
    """Words for the turn after this one. Idle: begins a turn."""

    text: str


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Stop the running turn now: close the request, end the commands. Idle: nothing."""

    waiting: Literal["goes on", "comes back"] = "goes on"
    """Words that wait, steers and queued ones: they are taken up next, or `Returned`."""


class Unqueue(msgspec.Struct, frozen=True, tag=True):
    """Take the last words that wait back: `Returned` follows, unless they were taken up already."""


class EndReasoning(msgspec.Struct, frozen=True, tag=True):
    """Answer now: close the reasoning, keep what was thought."""


class HunkReply(msgspec.Struct, frozen=True):
    """What a person decided about one hunk of a proposed edit."""

    hunk: int
    """From 0, in the order of the proposed patch."""
    choice: Literal["keep", "drop", "edited"]
    text: str = ""
    """The person's own lines when `edited`."""
    comment: str = ""


class CallReply(msgspec.Struct, frozen=True):
    """What a person decided about a call in `ApprovalRequested.proposed`."""

    call_id: str
    answer: Literal["allow", "deny"]
    words: str = ""
    """With deny: why, for the model."""
    hunks: tuple[HunkReply, ...] = ()
    """As in `ApprovalReply`, counted through the blocks of that call."""


class ApprovalReply(msgspec.Struct, frozen=True, tag=True):
    """A person's reply to `ApprovalRequested`."""

    request_id: str
    answer: Literal["allow", "deny"]
    words: str = ""
    """With deny: why, for the model."""
    changed_arguments: str = ""
    """With allow: JSON text to run instead of what the model wrote; empty = as it is."""
    hunks: tuple[HunkReply, ...] = ()
    """With allow, of a call that changes a file: hunks that are not named are kept. The order is
    that of the hunks in the `DiffBlock`s of the `ApprovalRequested`, counted through."""
    scope: Literal["once", "batch", "session", "project"] = "once"
    """`batch` = this call and the others of the same answer, also with deny; `session` = the
    rules that `ApprovalRequested.rules` showed hold from here on; `project` = they are kept in the
    user's state as well."""
    where: Literal["inside", "outside"] = "inside"
    """`outside` = allowed this once outside of the sandbox; holds only with allow and `once`, for
    a request whose `where` is `inside`."""
    also: tuple[CallReply, ...] = ()
    """About other calls of the request's `proposed`. Each holds if its change is the same when its
    turn comes; else the person is asked again."""


class QuestionReply(msgspec.Struct, frozen=True, tag=True):
    """A person's answer to `QuestionAsked`."""

    request_id: str
    answer: str


class SetMode(msgspec.Struct, frozen=True, tag=True):
    """Another permission mode, from the next call on."""

    mode: Literal["plan", "ask", "edit", "auto"]


class SetModel(msgspec.Struct, frozen=True, tag=True):
    """Another model or server, from the next turn on."""

    model: str
    base_url: str = ""
    """Empty = the same server."""


class SetThinking(msgspec.Struct, frozen=True, tag=True):
    """Another thinking budget, from the next request on."""

    budget: int
    """Tokens; 0 = thinking off."""


class SetSampling(msgspec.Struct, frozen=True, tag=True):
    """Other sampling values, from the next request on; None = the preset's."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None


class RunShell(msgspec.Struct, frozen=True, tag=True):
    """A command that the person runs themselves (`!`)."""

    command: str
    share: Literal["keep", "tell"] = "keep"
    """`tell` = the model is given command and output with the next prompt."""


class Compact(msgspec.Struct, frozen=True, tag=True):
    """Replace old messages by a summary."""

    focus: str = ""


class Rewind(msgspec.Struct, frozen=True, tag=True):
    """Go back to before a turn."""

    turn: int
    """The number in its `TurnStarted`; it and what followed leave the conversation."""
    restore: Literal["conversation", "files", "both"] = "conversation"


class Undo(msgspec.Struct, frozen=True, tag=True):
    """Take back the files of the last turn that changed any."""


class Redo(msgspec.Struct, frozen=True, tag=True):
    """Take back the last `Undo`."""


class Rename(msgspec.Struct, frozen=True, tag=True):
    """A name for the session."""

    name: str


class OpenPort(msgspec.Struct, frozen=True, tag=True):
    """Let the person reach a port that a command listens on inside the fence: a Notice says
    where."""

    port: int


class ClosePort(msgspec.Struct, frozen=True, tag=True):
    """Take it back."""

    port: int


class ListPorts(msgspec.Struct, frozen=True, tag=True):
    """Say in a Notice which ports are open."""


Input = (
    Begin
    | Prompt
    | Steer
    | Queue
    | Cancel
    | Unqueue
    | EndReasoning
    | ApprovalReply
    | QuestionReply
    | SetMode
    | SetModel
    | SetThinking
    | SetSampling
    | RunShell
    | Compact
    | Rewind
    | Undo
    | Redo
    | Rename
    | OpenPort
    | ClosePort
    | ListPorts
)
