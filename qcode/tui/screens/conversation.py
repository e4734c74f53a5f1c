"""What the chat shows: the conversation, what stands around it, what waits for the person."""

import asyncio
import importlib
import time
from collections.abc import Sequence
from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.events import Key
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import TextArea

from qcode.tui.blocks import Block, NoteBlock
from qcode.tui.chat.talk import Talk
from qcode.tui.chat.waiting import Waiting
from qcode.tui.drawing.draw import draw
from qcode.tui.drawing.view import View
from qcode.tui.home import Home
from qcode.tui.lines import Line
from qcode.tui.paint import Paint
from qcode.tui.prompt.sending import CommandRow
from qcode.tui.prompt.widget import PromptBox
from qcode.tui.transcript import Change, Cut, Put
from qcode.tui.view import TranscriptView
from qcode.tui.widgets.approval import GUARD_SECONDS, ApprovalStrip
from qcode.tui.widgets.find import FindLine
from qcode.tui.widgets.footer import Footer
from qcode.tui.widgets.header import Header, short_folder
from qcode.tui.widgets.notice import Level, NoticeLine
from qcode.tui.widgets.onboarding import OnboardingStrip
from qcode.tui.widgets.question import QuestionStrip
from qcode.tui.widgets.welcome import Welcome

LOOK_SECONDS = 0.05
RECALL_SECONDS = 0.5
"""After the beginning of a session the last one is looked for: not before the first paint."""
QUIET_SECONDS, DRAFT_SECONDS = 0.7, 1.5
"""No key for so long, and a strip takes the keys; the second where words are written: who is in
the middle of a sentence pauses longer, and its next letter would be an answer."""
TICK_SECONDS = 0.5
MARGIN = 1
"""Cells at the right: words that touch the edge of the terminal are hard to read."""


class ConversationScreen(Screen[None]):
    """Shows a `Talk`. What the person does with it is `chat.ChatScreen`'s."""

    DEFAULT_CSS = """
    ConversationScreen Header { border-bottom: solid $border-blurred; height: 2; }
    ConversationScreen PromptBox {
        border-top: solid $border-blurred;
        border-bottom: solid $border-blurred;
    }
    """

    def __init__(
        self, home: Home, talk: Talk, paint: Paint, commands: Sequence[CommandRow] = ()
    ) -> None:
        super().__init__()
        self.talk = talk
        self._home = home
        self._clock = home.clock
        self.header = Header(paint, home.folder)
        self.view = TranscriptView(self._drawn, paint)
        self.welcome = Welcome(paint)
        self.finding = FindLine()
        self.notice = NoticeLine(paint)
        self.approval = ApprovalStrip(paint, words=self._words)
        self.question = QuestionStrip(paint)
        self.onboarding = OnboardingStrip(paint, serves=home.serve is not None)
        self.prompt = PromptBox(home.folder, home.state, commands, paint=paint)
        self.footer = Footer(paint, home.clock)
        self.paint = paint
        self.last_key = float("-inf")
        """When one was pressed, wherever it went; the app says so. Clock: `time.monotonic`."""
        self._ticking: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.view
        yield self.welcome
        yield self.finding
        yield self.notice
        yield self.approval
        yield self.question
        yield self.onboarding
        yield self.prompt
        yield self.footer

    def on_mount(self) -> None:
        self.set_focus(self.prompt.query_one(TextArea))  # at once: `focus` would be a turn late
        self.begin(self.talk)

    def on_screen_resume(self) -> None:
        self._look_at_strips()

    # -- for the app

    def take(self, changed: Sequence[Change]) -> None:
        """The conversation has changed."""
        for change in changed:
            match change:
                case Put(index, block):
                    self.view.put(index, block)
                case Cut(count):
                    self.view.cut(count)
        self.stand()

    def stand(self) -> None:
        """What stands around the conversation."""
        self._tick_while_busy()
        self.prompt.turn = "running" if self.talk.running else "idle"
        self.prompt.queued = self.talk.status.queued
        if self.talk.returned and self.prompt.is_attached:
            self.prompt.take_back(self.talk.returned)
            self.talk.returned.clear()
        if self.talk.folder:
            self.header.folder = short_folder(Path(self.talk.folder))
        self.header.show(self.talk.status)
        self.footer.show(self.talk.status)
        self._greet()
        self.wait(self.talk.waiting)

    def begin(self, talk: Talk) -> None:
        """Another conversation."""
        self.talk = talk
        self.view.replay(talk.blocks)
        self.welcome.set_class(not talk.blocks, "open")
        self.stand()
        if talk.session_id and not talk.blocks and self._home.sessions:
            self.set_timer(RECALL_SECONDS, self._recall)

    def _greet(self) -> None:
        """Until something is said, or nobody answers."""
        if not self.welcome.is_open:
            return
        spoken = any(not isinstance(block, NoteBlock) for block in self.talk.blocks)
        self.welcome.set_class(not spoken and not self.talk.waiting.failed, "open")
        self.welcome.show(self.talk.status)

    @work(exclusive=True, group="recall")
    async def _recall(self) -> None:
        """What was done here before."""
        # In a thread, and not before the first paint: it opens the index of all sessions.
        module = await asyncio.to_thread(importlib.import_module, "qcode.tui.shelf")
        if before := await asyncio.to_thread(module.before, self._home):
            self.welcome.recall(*before)

    def repaint(self) -> None:
        """The palette has other colours."""
        self.view.repaint(self.paint)
        for widget in (
            self.header,
            self.welcome,
            self.footer,
            self.approval,
            self.question,
            self.notice,
        ):
            widget.refresh()

    def _tick_while_busy(self) -> None:
        """Clocks in the conversation go only while something runs: not while the person is asked,
        which may last all night."""
        goes_on = self.talk.busy and self.talk.status.phase != "asking"
        if goes_on and self._ticking is None and self.is_attached:
            self._ticking = self.set_interval(TICK_SECONDS, self.view.tick)
        elif not goes_on and self._ticking is not None:
            self._ticking.stop()
            self._ticking = None

    def wait(self, waiting: Waiting) -> None:
        """These wait for the person, and nothing else."""
        before = (self.approval.calls, self.question.asked, self.onboarding.failed)
        if (waiting.approvals, waiting.question, waiting.failed) == before:
            return
        self.approval.show(waiting.approvals)
        self.question.show(waiting.question if not waiting.approvals else None)
        self.onboarding.show(waiting.failed)
        self._look_at_strips()

    def say(self, text: str, level: Level = "info") -> None:
        """A glance's worth."""
        self.notice.say(text, level)

    def hear(self, key: Key) -> bool:
        """A key, before anybody else has it; see `ApprovalStrip`."""
        return self.approval.hear(key)

    def _words(self, keys: Sequence[Key]) -> None:
        """A sentence that was begun over a strip goes on in the prompt."""
        field = self.prompt.query_one(TextArea)
        self.set_focus(field)  # at once: `focus` would be a turn late, and the next letter with it
        for key in keys:
            field._forward_event(key)  # as Textual does; there is no other way that keeps the order
        self._look_at_strips()

    # -- the strips take the keys once the person has stopped typing

    @property
    def strip(self) -> ApprovalStrip | QuestionStrip | OnboardingStrip:
        """The one that is open."""
        if self.approval.calls:
            return self.approval
        return self.question if self.question.asked else self.onboarding

    def _look_at_strips(self) -> None:
        if self.talk.waiting:
            self._hand_over(time.monotonic())
        elif self.prompt.is_attached and not (
            self.prompt.has_focus_within or self.finding.has_focus_within
        ):
            self.prompt.focus()

    def _hand_over(self, since: float) -> None:
        strip, now = self.strip, time.monotonic()
        if not self.talk.waiting or not self.is_current or strip.has_focus_within:
            return
        writing = self.prompt.text or self.finding.has_focus_within
        quiet = DRAFT_SECONDS if writing else QUIET_SECONDS
        if now - since >= GUARD_SECONDS and now - self.last_key >= quiet:
            strip.focus()
        else:
            self.set_timer(LOOK_SECONDS, lambda: self._hand_over(since))

    def _drawn(self, block: Block, width: int, opened: bool) -> Sequence[Line]:  # noqa: FBT001 - as the view calls it
        return draw(block, View(width - MARGIN, opened, self._clock()))
