"""The conversation as the app holds it: blocks, and what waits for the person. No Textual.

It outlives the screen, so a screen that broke is made anew from it, and the end of it is printed
when the app is left.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from qcode.protocol.events import (
    AnyEvent,
    ModeChanged,
    Notice,
    SessionStarted,
    TurnFinished,
    TurnStarted,
)
from qcode.protocol.inputs import Input, Prompt, Queue, Steer
from qcode.tui.blocks import AnswerBlock, Block
from qcode.tui.chat.waiting import NOTHING, Waiting, after
from qcode.tui.coalescing import coalesce
from qcode.tui.transcript import Change, State, apply, fold, hear, replay

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Talk:
    """One session on the screen."""

    state: State = field(default_factory=State)
    blocks: list[Block] = field(default_factory=list)
    waiting: Waiting = NOTHING
    running: bool = False
    """A turn runs, or is about to: something was sent and its end was not told yet."""
    mode: str = "ask"
    session_id: str = ""
    """Empty = none is kept, or it has not begun."""
    folder: str = ""
    began: float = 0.0
    """When the running turn began, by the clock that `take` is given."""

    def replay(self, past: Iterable[AnyEvent]) -> None:
        """What a log holds; nothing in it waits for anybody any more."""
        events = tuple(past)
        self.state, self.blocks = replay(events)
        for event in events:
            self._note(event, 0.0)
        self.running = False

    def take(self, events: Sequence[AnyEvent], now: float) -> list[Change]:
        """What changes on the screen. An event that cannot be shown is left out and said."""
        changed: list[Change] = []
        for event in coalesce(events):
            changed += self._one(event, now)
        return changed

    def hear(self, given: Input) -> list[Change]:
        """What the person said."""
        self.running = self.running or isinstance(given, Prompt | Queue | Steer)
        self.state, changed = hear(self.state, given)
        apply(self.blocks, changed)
        return list(changed)

    @property
    def answer(self) -> str:
        """The last words of the model; empty = it has said none."""
        spoken = (block for block in reversed(self.blocks) if isinstance(block, AnswerBlock))
        return next((block.text for block in spoken if block.state != "void"), "")

    def _one(self, event: AnyEvent, now: float) -> Sequence[Change]:
        try:
            self._note(event, now)
            self.state, changed = fold(self.state, event, now)
        except Exception as error:  # a defect of ours must not end the session
            LOG.exception("an event could not be shown: %s", type(event).__name__)
            text = f"{type(event).__name__} cannot be shown ({type(error).__name__}: {error})."
            self.state, changed = fold(self.state, Notice("error", text), now)
        apply(self.blocks, changed)
        return changed

    def _note(self, event: AnyEvent, now: float) -> None:
        """What the screen around the conversation needs to know."""
        self.waiting = after(self.waiting, event)
        match event:
            case SessionStarted():
                self.session_id, self.mode, self.folder = event.session_id, event.mode, event.folder
            case ModeChanged(mode):
                self.mode = mode
            case TurnStarted():
                self.running, self.began = True, now
            case TurnFinished():
                self.running = False
