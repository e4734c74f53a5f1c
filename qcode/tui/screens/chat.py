"""The chat: what the person says and does, as inputs and messages."""

import asyncio
import importlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from msgspec.structs import replace
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

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
    Unqueue,
)
from qcode.tui.chat.keys import FIRST, THEN
from qcode.tui.chat.levels import next_level
from qcode.tui.chat.talk import Talk
from qcode.tui.chat.waiting import Waiting
from qcode.tui.home import Home
from qcode.tui.paint import Paint
from qcode.tui.prompt import messages as told
from qcode.tui.prompt.sending import CommandRow
from qcode.tui.review import batch
from qcode.tui.review.state import ReviewState
from qcode.tui.screens.looking import LookingScreen
from qcode.tui.widgets.approval import ApprovalStrip
from qcode.tui.widgets.onboarding import OnboardingStrip
from qcode.tui.widgets.question import QuestionStrip

TWICE_SECONDS = 1.5
"""A second press of a key within this is the second of two."""

Mode = Literal["ask", "edit", "auto", "plan"]
MODES: tuple[Mode, ...] = get_args(Mode)


class ChatScreen(LookingScreen):
    """Posts `Said` for each input, and `Wanted` for what others do."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(row.key, row.what, row.help, show=False, priority=True) for row in FIRST),
        *(Binding(row.key, row.what, row.help, show=False) for row in THEN),
    ]

    @dataclass
    class Said(Message):
        """An input for the engine."""

        given: Input

    @dataclass
    class Wanted(Message):
        """Something that the app does, by its name in `acts` or among its actions."""

        name: str

    class Ready(Message):
        """The prompt takes keys."""

    def __init__(
        self, home: Home, talk: Talk, paint: Paint, commands: Sequence[CommandRow] = ()
    ) -> None:
        super().__init__(home, talk, paint, commands)
        self._pressed: dict[str, float] = {}
        self._reviewed: tuple[ApprovalRequested, Screen[object]] | None = None
        """The call that is under review, and where."""
        self._reviews: dict[str, ReviewState] = {}
        """By request: what was decided of calls that still wait."""

    def on_mount(self) -> None:
        self.post_message(self.Ready())

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

    def on_prompt_unqueue_wanted(self, event: told.UnqueueWanted) -> None:
        event.stop()
        self._say(Unqueue())

    def on_prompt_shell_wanted(self, event: told.ShellWanted) -> None:
        event.stop()
        self._say(RunShell(event.command, event.share))

    def on_prompt_said(self, event: told.Said) -> None:
        event.stop()
        self.say(event.text, event.level)

    # -- what the strips say

    def on_approval_strip_replied(self, event: ApprovalStrip.Replied) -> None:
        event.stop()
        state = self._reviews.get(event.reply.request_id)
        if event.reply.answer == "allow" and state and (state.choices or state.comments):
            self.reply(self._reviewed_reply(event.reply, state))
        else:
            self.reply(event.reply)

    def _reviewed_reply(self, given: ApprovalReply, state: ReviewState) -> ApprovalReply:
        """With what was decided in a review that was left."""
        calls = self.talk.waiting.approvals
        asked = next((one for one in calls if one.request_id == given.request_id), None)
        if asked is None:
            return given
        made = batch.reply(asked, state, "decided")
        return replace(given, hunks=made.hunks, also=made.also)

    def reply(self, reply: ApprovalReply) -> None:
        """The person's word for a call."""
        self._say(reply)

    def on_approval_strip_review_wanted(self, event: ApprovalStrip.ReviewWanted) -> None:
        event.stop()
        self.run_worker(self._review(event.asked), group="review", exclusive=True)

    async def _review(self, asked: ApprovalRequested) -> None:
        """Hunk by hunk; what is decided there is the reply."""
        # In a thread, and not before: a review brings more with it than the chat.
        module = await asyncio.to_thread(importlib.import_module, "qcode.tui.acts.reviewing")
        state = self._reviews.get(asked.request_id) or await module.begun(asked)
        self._reviews[asked.request_id] = state
        screen = module.review(state, self.paint, self.talk.folder, self.interrupt)
        self._reviewed = asked, screen
        outcome = await self.app.push_screen_wait(screen)
        self._reviewed = None
        if asked not in self.talk.waiting.approvals:
            return
        if outcome is not None:
            self.reply(batch.reply(asked, state, "all"))
        elif state.choices or state.comments:
            self.say("What you decided is kept: Enter goes on with it, y applies it")

    def wait(self, waiting: Waiting) -> None:
        """See `ConversationScreen`; a review of what waits no more is over."""
        super().wait(waiting)
        still = {one.request_id for one in waiting.approvals}
        self._reviews = {id_: one for id_, one in self._reviews.items() if id_ in still}
        if self._reviewed and self._reviewed[0] not in waiting.approvals:
            screen, self._reviewed = self._reviewed[1], None
            screen.dismiss(None)

    def on_onboarding_strip_closed(self, event: OnboardingStrip.Closed) -> None:
        event.stop()
        self.close_strip()

    def close_strip(self) -> None:
        """That no server answers is known, or seen to."""
        self.talk.waiting = replace(self.talk.waiting, failed=None)
        self.stand()

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
            self._say(Cancel("comes back"))
        elif self.prompt.text:
            self.prompt.clear()
        elif self._twice("ctrl+c"):
            self.action_leave()
        else:
            self.notice.say("Ctrl+C again quits", seconds=TWICE_SECONDS)

    def interrupt(self) -> bool:
        """End what goes on; False = nothing does."""
        if self.talk.busy:
            self._say(Cancel("comes back"))
            return True
        return False

    def action_back(self) -> None:
        """Close what is open, else interrupt, else rewind at the second press."""
        if self.approval.close_words():
            return
        if self.onboarding.failed and self.strip is self.onboarding:
            self.onboarding.back()
            return
        if self.talk.busy:
            self._say(Cancel("comes back"))
        elif self.view.picture.focused is not None:
            self.view.focus_block(None)
        elif not self.prompt.text:
            if self._twice("escape"):
                self.post_message(self.Wanted("rewind"))
            else:
                hint = "Esc again goes back to an earlier prompt"
                self.notice.say(hint, seconds=TWICE_SECONDS)

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
        self._say(SetThinking(thinking_tokens(level, self.talk.settings.max_tokens)))
        self.say(f"thinking: {level}")

    def _twice(self, key: str) -> bool:
        now, before = time.monotonic(), self._pressed.get(key, float("-inf"))
        self._pressed[key] = now
        return now - before <= TWICE_SECONDS

    def action_keys(self) -> None:
        if self.prompt.text or not self.prompt.has_focus_within:
            raise SkipAction
        self.post_message(self.Wanted("help"))

    def action_leave(self, when: str = "") -> None:
        if when == "empty" and self.prompt.text:  # the keys may be elsewhere than in the prompt
            return
        self.post_message(self.Wanted("leave"))

    def action_suspend(self) -> None:
        self.post_message(self.Wanted("suspend_process"))

    def action_mouse(self) -> None:
        self.post_message(self.Wanted("mouse"))
