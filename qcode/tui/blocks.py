"""What the conversation on the screen consists of, as data. `transcript.fold` makes these from
events, `drawing` makes lines of them; neither knows Textual.

Texts are as they came: whoever draws them makes them plain.
"""

from typing import Literal

import msgspec

from qcode.protocol.display import Block as ToolBlock


class PromptBlock(msgspec.Struct, frozen=True):
    """Words of the person."""

    text: str
    turn: int = 0
    """0 = it belongs to no turn yet: it waits in the queue, or steers."""
    images: int = 0
    kind: Literal["prompt", "steer", "queued", "qcode"] = "prompt"
    """`qcode` = said on the person's behalf: a nudge, a failed check."""


class ReasoningBlock(msgspec.Struct, frozen=True):
    """The thinking of one answer; a line until it is opened."""

    text: str
    began: float
    """Clock of the front end, seconds."""
    seconds: float = 0.0
    """How long it took, once it is over."""
    tokens: int = 0
    budget: int = 0
    """Tokens; 0 = none was set."""
    state: Literal["open", "done"] = "open"
    why: str = ""
    """What ended it before its time: budget, person, loop."""


class AnswerBlock(msgspec.Struct, frozen=True):
    """Markdown of the model."""

    text: str
    state: Literal["open", "done", "void"] = "open"
    """`void` = it is asked again; what came so far does not count."""


CallState = Literal[
    "writing",
    "queued",  # behind another one of the same answer
    "waiting",  # for the person
    "running",
    "ok",
    "error",
    "denied",
    "cancelled",
]


class CallBlock(msgspec.Struct, frozen=True):
    """One tool call: a card."""

    call_id: str
    name: str
    """Tool, as the engine calls it."""
    summary: str = ""
    """Without the tool's name: `src/a.py`, `pytest -q`."""
    state: CallState = "writing"
    began: float = 0.0
    seconds: float = 0.0
    output: str = ""
    """What came while it ran; the end of it, at most some thousand characters."""
    blocks: tuple[ToolBlock, ...] = ()
    """For people; while it waits for approval, what it would change."""
    said: str = ""
    """What the model is told, for a call that did not go well."""
    notes: tuple[str, ...] = ()
    """Sub-lines: repairs, what was kept and refused of it."""
    written: int = 0
    """Characters of its arguments so far, while it is written."""


class NoteBlock(msgspec.Struct, frozen=True):
    """A line of the machine: a notice, a retry, a loop, tokens read again and why."""

    text: str
    level: Literal["quiet", "info", "warning", "error"] = "quiet"
    kind: str = "notice"
    """notice, repair, retry, reread, loop, budget, room, state, model, mode, rewound, verified."""


class ShellBlock(msgspec.Struct, frozen=True):
    """A command that the person ran with `!`."""

    command: str
    state: Literal["running", "done"] = "running"
    output: str = ""
    exit_code: int | None = None
    seconds: float = 0.0
    share: Literal["keep", "tell"] = "keep"
    shell_id: str = ""


class TurnBlock(msgspec.Struct, frozen=True):
    """The end of a turn: what it took; a sentence when it did not end well."""

    reason: str
    detail: str = ""
    seconds: float = 0.0
    """Without `waited`."""
    steps: int = 0
    generated: int = 0
    """Tokens."""
    waited: float = 0.0
    """For the person; seconds."""


Block = PromptBlock | ReasoningBlock | AnswerBlock | CallBlock | NoteBlock | ShellBlock | TurnBlock
