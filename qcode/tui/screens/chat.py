"""The conversation, what waits for the person, the prompt."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal, get_args

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import TextArea

from qcode.engine.settings import thinking_tokens
from qcode.protocol.events import ApprovalRequested
from qcode.protocol.inputs import (
    ApprovalReply,
    Cancel,
    EndReasoning,
    Input,
    Prompt,
    Queue,
    RunShell,
    SetMode,
    SetThinking,
    Steer,
)
from qcode.tui.blocks import Block, CallBlock, ReasoningBlock, ShellBlock
from qcode.tui.chat.approvals import changes
from qcode.tui.chat.keys import FIRST, THEN
from qcode.tui.chat.levels import next_level
from qcode.tui.chat.talk import Talk
from qcode.tui.chat.waiting import Waiting
from qcode.tui.commands import ANSWER_TOKENS
from qcode.tui.drawing.draw import draw
from qcode.tui.drawing.view import View
from qcode.tui.home import Home
from qcode.tui.lines import Line
from qcode.tui.prompt import messages as told
from qcode.tui.prompt.sending import CommandRow
from qcode.tui.prompt.widget import PromptBox
from qcode.tui.review.state import ReviewState
from qcode.tui.screens.review import ReviewScreen
from qcode.tui.transcript import Change, Cut, Put
from qcode.tui.view import TranscriptView
from qcode.tui.widgets.approval import GUARD_SECONDS, ApprovalStrip
from qcode.tui.widgets.footer import Footer
from qcode.tui.widgets.header import Header, short_folder
from qcode.tui.widgets.notice import Level, NoticeLine
from qcode.tui.widgets.onboarding import OnboardingStrip
from qcode.tui.widgets.painted import Paint
from qcode.tui.widgets.question import QuestionStrip

TWICE_SECONDS = 1.5
"""A second press of a key within this is the second of two."""
LOOK_SECONDS = 0.05
TICK_SECONDS = 0.5

Mode = Literal["ask", "edit", "auto", "plan"]
MODES: tuple[Mode, ...] = get_args(Mode)


class ChatScreen(Screen[None]):
    """Shows a `Talk` and says what the person wants; what becomes of that, others know."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(row.key, row.what, row.help, show=False, priority=True) for row in FIRST),
        *(Binding(row.key, row.what, row.help, show=False) for row in THEN),
    ]
    DEFAULT_CSS = """
    ChatScreen Header { border-bottom: solid $border-blurred; height: 2; }
    ChatScreen PromptBox {
        border-top: solid $border-blurred;
        border-bottom: solid $border-blurred;
    }
    """

    @dataclass
    class Said(Message):
        """An input for the engine."""

        given: Input

    class RewindWanted(Message):
        """Esc twice, idle and with nothing written."""

    def __init__(
        self, home: Home, talk: Talk, paint: Paint, commands: Sequence[CommandRow] = ()
    ) -> None:
        super().__init__()
        self.talk = talk
        self.header = Header(paint, home.folder)
        self.view = TranscriptView(_drawn, paint)
        self.notice = NoticeLine(paint)
        self.approval = ApprovalStrip(paint)
        self.question = QuestionStrip(paint)
        self.onboarding = OnboardingStrip(paint)
        self.prompt = PromptBox(home.folder, home.state, commands)
        self.footer = Footer(paint)
        self._paint = paint
        self._pressed: dict[str, float] = {}
        self._ticking: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.view
        yield self.notice
        yield self.approval
        yield self.question
        yield self.onboarding
        yield self.prompt
        yield self.footer

    def on_mount(self) -> None:
        self.prompt.focus()
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
        self._stand()

    def _stand(self) -> None:
        """What stands around the conversation."""
        self._tick_while_busy()
        self.prompt.turn = "running" if self.talk.running else "idle"
        if self.talk.folder:
            self.header.folder = short_folder(Path(self.talk.folder))
        self.header.show(self.talk.status)
        self.footer.show(self.talk.status)
        self.wait(self.talk.waiting)

    def begin(self, talk: Talk) -> None:
        """Another conversation."""
        self.talk = talk
        self.view.replay(talk.blocks)
        self._stand()

    def repaint(self) -> None:
        """The palette has other colours."""
        self.view.repaint(self._paint)
        for widget in (self.header, self.footer, self.approval, self.question, self.notice):
            widget.refresh(recompose=False)

    def _tick_while_busy(self) -> None:
        """Clocks in the conversation go only while something runs."""
        if self.talk.busy and self._ticking is None and self.is_attached:
            self._ticking = self.set_interval(TICK_SECONDS, self.view.tick)
        elif not self.talk.busy and self._ticking is not None:
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

    # -- the strips take the keys once the person has stopped typing

    @property
    def _strip(self) -> ApprovalStrip | QuestionStrip | OnboardingStrip:
        """The one that is open."""
        if self.approval.calls:
            return self.approval
        return self.question if self.question.asked else self.onboarding

    def _look_at_strips(self) -> None:
        if self.talk.waiting:
            self._hand_over(self.prompt.text, time.monotonic())
        elif self.prompt.is_attached and not self.prompt.has_focus_within:
            self.prompt.focus()

    def _hand_over(self, text: str, since: float) -> None:
        strip = self._strip
        if not self.talk.waiting or not self.is_current or strip.has_focus_within:
            return
        now, written = time.monotonic(), self.prompt.text
        if written == text and now - since >= GUARD_SECONDS:
            strip.focus()
            return
        since = since if written == text else now
        self.set_timer(LOOK_SECONDS, lambda: self._hand_over(written, since))

    # -- what the prompt says

    def on_prompt_submitted(self, event: told.Submitted) -> None:
        event.stop()
        self._say(Prompt(event.text, event.pictures))

    def on_prompt_steered(self, event: told.Steered) -> None:
        event.stop()
        self._say(Steer(event.text))

    def on_prompt_queued(self, event: told.Queued) -> None:
        event.stop()
        self._say(Prompt(event.text, event.pictures) if event.pictures else Queue(event.text))

    def on_prompt_shell_wanted(self, event: told.ShellWanted) -> None:
        event.stop()
        self._say(RunShell(event.command, event.share))

    def on_prompt_said(self, event: told.Said) -> None:
        event.stop()
        self.say(event.text, event.level)

    # -- what the strips say

    def on_approval_strip_replied(self, event: ApprovalStrip.Replied) -> None:
        event.stop()
        self.reply(event.reply)

    def reply(self, reply: ApprovalReply) -> None:
        """The person's word for a call."""
        self._say(reply)

    def on_approval_strip_review_wanted(self, event: ApprovalStrip.ReviewWanted) -> None:
        event.stop()
        self.run_worker(self._review(event.asked), group="review", exclusive=True)

    async def _review(self, asked: ApprovalRequested) -> None:
        """Hunk by hunk; what is decided there is the reply."""
        files = await asyncio.to_thread(changes, asked)
        screen = ReviewScreen(ReviewState(files), self._paint)
        outcome = await self.app.push_screen_wait(screen)
        if outcome is not None and asked in self.talk.waiting.approvals:
            self.reply(ApprovalReply(asked.request_id, "allow", hunks=outcome.hunks))

    def on_onboarding_strip_closed(self, event: OnboardingStrip.Closed) -> None:
        event.stop()
        self.talk.waiting = replace(self.talk.waiting, failed=None)
        self._stand()

    def on_question_strip_replied(self, event: QuestionStrip.Replied) -> None:
        event.stop()
        self._say(event.reply)

    def _say(self, given: Input) -> None:
        self.post_message(self.Said(given))

    # -- keys

    def action_stop(self) -> None:
        """Copy, else interrupt, else empty the prompt, else leave at the second press."""
        if self._copied():
            return
        if self.talk.busy:
            self._say(Cancel())
        elif self.prompt.text:
            self.prompt.clear()
        elif self._twice("ctrl+c"):
            self.run_worker(self.run_action("app.leave"))
        else:
            self.say("Ctrl+C again quits")

    def action_back(self) -> None:
        """Close what is open, else interrupt, else rewind at the second press."""
        if self.approval.close_words():
            return
        if self.onboarding.failed and self._strip is self.onboarding:
            self.onboarding.back()
            return
        if self.talk.busy:
            self._say(Cancel())
        elif not self.prompt.text:
            if self._twice("escape"):
                self.post_message(self.RewindWanted())
            else:
                self.say("Esc again goes back to an earlier prompt")

    def action_next_mode(self) -> None:
        at = next((at for at, mode in enumerate(MODES) if mode == self.talk.status.mode), -1)
        self._say(SetMode(MODES[(at + 1) % len(MODES)]))

    def action_answer_now(self) -> None:
        self._say(EndReasoning())

    def action_think_more(self) -> None:
        self._think(1)

    def action_think_less(self) -> None:
        self._think(-1)

    def _think(self, step: int) -> None:
        level = next_level(self.talk.status.thinking_budget, step)
        self._say(SetThinking(thinking_tokens(level, ANSWER_TOKENS)))
        self.say(f"thinking: {level}")

    def action_page_up(self) -> None:
        self.view.roll_pages(-1)

    def action_page_down(self) -> None:
        self.view.roll_pages(1)

    def action_home(self) -> None:
        self.view.roll_top()

    def action_end(self) -> None:
        self.view.roll_end()

    def action_reasoning(self) -> None:
        self.view.toggle_all(ReasoningBlock)

    def action_open_last(self) -> None:
        """The card or thought that has the focus, else the last one."""
        if self.view.picture.focused is not None:
            self.view.open_focused()
            return
        for index in range(len(self.talk.blocks) - 1, -1, -1):
            if isinstance(self.talk.blocks[index], CallBlock | ReasoningBlock | ShellBlock):
                self.view.toggle(index)
                return

    def action_copy_answer(self) -> None:
        if self.talk.answer:
            self.app.copy_to_clipboard(self.talk.answer)
            self.say("copied the last answer")
        else:
            self.say("there is no answer yet", "warning")

    def action_redraw(self) -> None:
        self.refresh(layout=True)

    def _copied(self) -> bool:
        text = self.get_selected_text() or ""
        if not text and isinstance(self.focused, TextArea):
            text = self.focused.selected_text
        if not text:
            return False
        self.app.copy_to_clipboard(text)
        rows = text.count("\n") + 1
        self.say(f"copied {rows} lines" if rows > 1 else "copied")
        self.clear_selection()
        return True

    def _twice(self, key: str) -> bool:
        now, before = time.monotonic(), self._pressed.get(key, float("-inf"))
        self._pressed[key] = now
        return now - before <= TWICE_SECONDS


def _drawn(block: Block, width: int, opened: bool) -> Sequence[Line]:  # noqa: FBT001 - as the view calls it
    return draw(block, View(width, opened, time.monotonic()))
