"""The conversation as the app holds it: blocks, and what waits for the person. No Textual.

It outlives the screen, so a screen that broke is made anew from it, and the end of it is printed
when the app is left.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence

import msgspec

from qcode.protocol.events import (
    FLEETING,
    AnyEvent,
    Notice,
    Returned,
    SessionStarted,
    SettingsChanged,
    ToolCallFinished,
)
from qcode.protocol.inputs import Input
from qcode.session.prompts import spoken
from qcode.tui.blocks import AnswerBlock, Block
from qcode.tui.chat.waiting import NOTHING, Waiting, after, replied
from qcode.tui.coalescing import coalesce
from qcode.tui.commands import ANSWER_TOKENS
from qcode.tui.following import follow, said
from qcode.tui.recalling import recalled
from qcode.tui.status import Status
from qcode.tui.transcript import Change, State, apply, fold, hear, replay

LOG = logging.getLogger(__name__)


class Talk(msgspec.Struct):
    """One session on the screen."""

    session_id: str = ""
    """Empty = none is kept, or it has not begun."""
    state: State = msgspec.field(default_factory=State)
    blocks: list[Block] = msgspec.field(default_factory=list)
    status: Status = msgspec.field(default_factory=Status)
    waiting: Waiting = NOTHING
    settings: SettingsChanged = msgspec.field(
        default_factory=lambda: SettingsChanged(0, ANSWER_TOKENS)
    )
    folder: str = ""
    """Where it works, once that is told."""
    events: list[AnyEvent] = msgspec.field(default_factory=list)
    """All that its log has."""
    edited: set[str] = msgspec.field(default_factory=set)
    """Files that calls have changed, from the root."""
    returned: list[str] = msgspec.field(default_factory=list)
    """Words that waited and are the person's again, until the prompt has them."""

    @property
    def running(self) -> bool:
        """A turn runs, or words wait to begin one."""
        return self.status.turn_since is not None or bool(self.status.queued)

    @property
    def busy(self) -> bool:
        """Something goes on that an interruption would end."""
        return self.running or self.status.phase not in ("idle", "starting")

    @property
    def answer(self) -> str:
        """The last words of the model; empty = it has said none."""
        spoken = (block for block in reversed(self.blocks) if isinstance(block, AnswerBlock))
        return next((block.text for block in spoken if block.state != "void"), "")

    def replay(self, past: Iterable[AnyEvent]) -> None:
        """What a log holds; nothing in it runs or waits for anybody any more."""
        self.events = list(past)
        self.state, self.blocks = replay(self.events)
        self.status = recalled(self.events)
        for event in self.events:
            self._note(event)

    def take(self, events: Sequence[AnyEvent], now: float) -> list[Change]:
        """What changes on the screen. An event that cannot be shown is left out, which is said."""
        changed: list[Change] = []
        for event in coalesce(events):
            changed += self._one(event, now)
        return changed

    def hear(self, given: Input, now: float) -> list[Change]:
        """What the person said."""
        self.waiting = replied(self.waiting, given)
        self.status = said(self.status, given, now)
        self.state, changed = hear(self.state, given)
        apply(self.blocks, changed)
        return list(changed)

    def _one(self, event: AnyEvent, now: float) -> Sequence[Change]:
        self._note(event)
        if not isinstance(event, FLEETING):
            self.events.append(event)
        self.waiting = after(self.waiting, event)
        try:
            self.status = follow(self.status, event, now)
            self.state, changed = fold(self.state, event, now)
        except Exception as error:  # a defect of ours must not end the session
            LOG.exception("an event could not be shown: %s", type(event).__name__)
            text = f"{type(event).__name__} cannot be shown ({type(error).__name__}: {error})."
            self.state, changed = fold(self.state, Notice("error", text), now)
        apply(self.blocks, changed)
        return changed

    def _note(self, event: AnyEvent) -> None:
        match event:
            case SessionStarted():
                self.session_id, self.folder = event.session_id, event.folder
            case SettingsChanged():
                self.settings = event
            case Returned(messages):
                self.returned += [spoken(message) for message in messages]
            case ToolCallFinished():
                self.edited |= {*event.edited}


async def replayed(past: Sequence[AnyEvent], seen: Talk | None = None) -> Talk:
    """A talk of what a log holds: `seen`, where it has all of that already. In a thread: thousands
    of events take a while."""
    if seen is not None and len(seen.events) == len(past):
        return seen
    talk = Talk()
    await asyncio.to_thread(talk.replay, past)
    return talk
