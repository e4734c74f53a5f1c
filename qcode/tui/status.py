"""What goes on now, for header and footer; `following` makes it of events. Pure."""

from typing import Literal

import msgspec

from qcode.protocol.events import PromptProgress
from qcode.tui.rates import NO_PACE, Pace

Phase = Literal[
    "idle",
    "starting",  # a server is looked for, the workspace is read
    "loading",  # the server loads its model
    "busy",  # with others
    "waiting",  # for the first sign of an answer
    "reading",  # the prompt
    "rereading",  # what it had read before
    "thinking",
    "writing",
    "calling",  # writing a call
    "running",  # a call
    "asking",  # the person
    "compacting",
    "retrying",
    "gone",  # the server
]

OWN = "! "
"""Ahead of a command that the person runs themselves."""


class Status(msgspec.Struct, frozen=True):
    """What header and footer tell."""

    phase: Phase = "idle"
    since: float = 0.0
    """When the phase began, by the clock of `following.follow`."""
    detail: str = ""
    """What runs, what is written, why it is tried again."""
    turn_since: float | None = None
    """When the running turn began; None = none runs."""
    model: str = ""
    """As the server calls it."""
    server: str = ""
    mode: str = ""
    fence: str = ""
    """What stands around commands: holds, none, off; empty = not told."""
    name: str = ""
    """Of the session, as the person gave it."""
    branch: str = ""
    """The app fills it in, with `changes`: no event tells of git."""
    changes: str = ""
    """`+2 ~3`; empty = none, or no repository."""
    thinking_budget: int | None = None
    """Tokens; 0 = thinking off, None = not known yet."""
    context_tokens: int | None = None
    """Loaded by the server; None = it did not say."""
    prompt_tokens: int = 0
    """Of the last request, or what the next one holds at least; 0 = not known."""
    answered: bool = False
    """Some answer is whole."""
    weighed: float = 0.0
    """What the conversation holds by its looks, until the server counts."""
    counts: bool = False
    """The server does."""
    held: tuple[tuple[int, int], ...] = ()
    """Number of a turn, and `used_tokens` as it began: what a rewind goes back to."""
    reused: float | None = None
    """Share of the last prompt that came from the server's cache."""
    read_rate: float | None = None
    """Tokens a second, as the server told of the last answer; likewise the next."""
    write_rate: float | None = None
    progress: PromptProgress | None = None
    """How far the prompt is read."""
    thought_tokens: int = 0
    """In the running answer."""
    pace: Pace = NO_PACE
    """Of the running answer."""
    why_reread: str = ""
    """A reason for reading again that is known beforehand."""
    asked: bool = False
    """An answer is being asked for."""
    calls: tuple[tuple[str, str], ...] = ()
    """Id and summary of what runs, calls and the person's own commands."""
    open_requests: int = 0
    """Approvals and questions that wait for the person."""
    queued: tuple[str, ...] = ()
    """Words that wait for the engine to take them up."""

    @property
    def used_tokens(self) -> int:
        """Of the context, now; 0 = not known. See `estimated`."""
        held = self.prompt_tokens or (self.weighed if self.estimated else 0)
        return round(held + self.pace.tokens) if held else 0

    @property
    def estimated(self) -> bool:
        """No server has counted it: answers came, and none with its tokens."""
        return self.answered and not self.counts
