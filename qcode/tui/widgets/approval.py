"""The strip above the prompt while calls wait for approval."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Key
from textual.message import Message
from textual.widgets import Input

from qcode.protocol.events import ApprovalRequested
from qcode.protocol.inputs import ApprovalReply
from qcode.tui.chat.approvals import Shown, Step, approval_lines, is_whole
from qcode.tui.chat.keys import STRIP
from qcode.tui.chat.matter import diffs
from qcode.tui.lines import Line
from qcode.tui.paint import Paint
from qcode.tui.widgets.letters import Letters, Words, is_letter
from qcode.tui.widgets.painted import Painted

GUARD_SECONDS = 0.3
"""A key so soon after a call has come up was meant for something else."""

LEAST_ROWS, MOST_SHARE = 6, 0.5
"""Lines that the strip may take, and the share of the screen that it never exceeds."""

Scope = Literal["once", "batch", "session", "project"]

ANSWERS = {
    key: row.what
    for row in STRIP
    for key in row.key.split(",")
    if row.what != "stop" and key[1:] == ""
}
"""Letter -> action. They come by `hear`; only the other keys are bindings."""


class _Body(Painted):
    """The lines of the strip."""

    def __init__(self, paint: Paint, lines: Callable[[int], Sequence[Line]]) -> None:
        super().__init__(paint)
        self._of = lines

    def drawn(self, width: int) -> Sequence[Line]:
        return self._of(width)


class ApprovalStrip(Vertical, can_focus=True):
    """Shows the calls that wait, one at a time. Posts `Replied` and `ReviewWanted`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "view", "keep what is offered; else review the change", show=False),
        Binding("left,up", "turn(-1)", "the one before", show=False),
        Binding("right,down", "turn(1)", "the next one", show=False),
    ]
    DEFAULT_CSS = """
    ApprovalStrip {
        height: auto;
        max-height: 80vh;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        border-top: solid $accent;
        display: none;
    }
    ApprovalStrip:focus { border-top: heavy $accent; }
    ApprovalStrip.open { display: block; }
    ApprovalStrip Input { display: none; margin: 0 3; }
    ApprovalStrip.telling Input { display: block; }
    """

    @dataclass
    class Replied(Message):
        """The person's word for one call."""

        reply: ApprovalReply

    @dataclass
    class ReviewWanted(Message):
        """The change is to be looked at hunk by hunk."""

        asked: ApprovalRequested

    def __init__(
        self,
        paint: Paint,
        clock: Callable[[], float] = time.monotonic,
        words: Words = lambda _: None,
    ) -> None:
        """`words` takes letters that are no answer: a sentence was begun."""
        super().__init__()
        self.calls: tuple[ApprovalRequested, ...] = ()
        self._body = _Body(paint, self._lines)
        self._clock = clock
        self._at = 0
        self._since = 0.0
        self._whole = False
        self._step: Step = ""
        """What Enter would keep."""
        self._begun: tuple[Key, ...] = ()
        """The letter that led to it."""
        self._words = words
        self._letters = Letters(self, ANSWERS, self._answer, self._said)
        self._too_soon = False
        """The letter that waits came before one could have read the question."""

    def compose(self) -> ComposeResult:
        yield self._body
        yield Input(placeholder="why not? Enter sends it, Esc goes back", compact=True)

    # -- for the screen

    @property
    def current(self) -> ApprovalRequested | None:
        """The call that keys are about."""
        return self.calls[self._at] if self.calls else None

    def show(self, calls: Sequence[ApprovalRequested]) -> None:
        """These wait, and no others."""
        before, asked = self.current, len(self.calls)
        self.calls = tuple(calls)
        at = next((i for i, one in enumerate(calls) if before and one is before), None)
        self._at = min(self._at, max(len(calls) - 1, 0)) if at is None else at
        if self.current is not before:
            self._came_up()
        elif len(self.calls) > asked:
            self._back()
            self._too_soon = True  # `b` was about fewer
        self.set_class(bool(self.calls), "open")
        self._body.redraw()

    def close_words(self) -> bool:
        """Give up saying why, or keeping a rule; False = nobody was."""
        if self._letters.held or self._step:
            self._letters.drop()
            self._back()
            return True
        if not self.has_class("telling"):
            return False
        self.remove_class("telling")
        self.focus()
        return True

    # -- what it shows

    def _came_up(self) -> None:
        self._since, self._whole, self._too_soon = self._clock(), False, True
        self._step, self._begun = "", ()
        self.remove_class("telling")
        self.query_one(Input).value = ""

    def _lines(self, width: int) -> Sequence[Line]:
        asked = self.current
        return approval_lines(asked, self._shown(width), self._others) if asked else ()

    def _shown(self, width: int) -> Shown:
        rows = max(LEAST_ROWS, int(self.screen.size.height * MOST_SHARE))
        at, of = self._at + 1, len(self.calls)
        return Shown(width, rows, at, of, whole=self._whole, step=self._step)

    @property
    def _others(self) -> tuple[ApprovalRequested, ...]:
        return tuple(one for one in self.calls if one is not self.current)

    # -- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is an answer before one could have read the question."""
        return self._clock() - self._since >= GUARD_SECONDS

    def hear(self, key: Key) -> bool:
        """A key, before anybody else has it: False = it is not for us. At once and in order, so
        that of words which come in one piece none is taken for an answer."""
        if self.screen.focused is not self or key.is_forwarded:  # `has_focus` is a turn late
            return False
        if self.has_class("telling"):  # it gets the focus a turn later
            self.query_one(Input)._forward_event(key)
            return True
        if is_letter(key):
            self._letter(key)
            return True
        held = self._letters.held
        if held and key.key == "enter":
            self._letters.settle()
        elif held:
            self._letters.drop()
        return bool(held) and key.key in ("enter", "escape")

    def _letter(self, key: Key) -> None:
        if self._step:
            if key.key != self._begun[0].key:
                self._said((key,))
            return
        if not self._letters.held:
            self._too_soon = self._clock() - self._since < GUARD_SECONDS
        if key.key == "t" and not (self._letters.held or self._too_soon):
            self.action_tell()  # that is no answer yet, and words may follow at once
        else:
            self._letters.press(key)

    def _said(self, keys: Sequence[Key]) -> None:
        begun = self._begun
        self._back()
        self._words((*begun, *keys))

    def _answer(self, key: Key) -> None:
        if not self._too_soon and self.calls:
            getattr(self, f"action_{ANSWERS[key.key]}")()
            self._begun = (key,) if self._step else ()

    def _offer(self, step: Step) -> None:
        """Show what it comes to; Enter keeps it, when one could have read it."""
        self._step, self._since = step, self._clock()
        self._body.redraw()

    def _back(self) -> None:
        if self._step:
            self._step = ""
            self._body.redraw()
        self._begun = ()

    def action_once(self) -> None:
        self._allow("once")

    def action_batch(self) -> None:
        if self.current is None or not (len(self.calls) > 1 or self.current.behind):
            return
        if is_whole(self.current, self._shown(self._body.size.width)):
            self._allow_all()
        else:
            self._offer("batch")

    def _allow_all(self) -> None:
        for asked in self.calls:
            scope: Scope = "batch" if asked.behind else "once"
            self._reply(ApprovalReply(asked.request_id, "allow", scope=scope))

    def action_session(self) -> None:
        if self.current is not None and self.current.rules:
            self._offer("session")

    def action_project(self) -> None:
        if self.current is not None and self.current.rules:
            self._offer("project")

    def action_outside(self) -> None:
        if self.current is not None and self.current.where == "inside":
            self._offer("outside")

    def action_no(self) -> None:
        if self.current is not None:
            self._reply(ApprovalReply(self.current.request_id, "deny"))

    def action_tell(self) -> None:
        self.add_class("telling")
        self.query_one(Input).focus()

    def action_view(self) -> None:
        if self._step:
            self._keep(self._step)
        elif self.current is not None and diffs(self.current):
            self.post_message(self.ReviewWanted(self.current))
        else:
            self._whole = not self._whole
            self._body.redraw()

    def action_turn(self, step: int) -> None:
        if len(self.calls) > 1:
            self._at = (self._at + step) % len(self.calls)
            self._came_up()
            self._body.redraw()
        else:
            self.scroll_relative(y=step, animate=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        words = event.value.strip()
        if words and self.current is not None:
            self.focus()
            self._reply(ApprovalReply(self.current.request_id, "deny", words))

    def _keep(self, step: Step) -> None:
        if step == "batch":
            self._allow_all()
        elif step == "outside":
            self._allow("once", step)
        elif step:
            self._allow(step)

    def _allow(self, scope: Scope, where: Literal["inside", "outside"] = "inside") -> None:
        asked = self.current
        if asked is not None and (scope == "once" or asked.rules):
            self._reply(ApprovalReply(asked.request_id, "allow", scope=scope, where=where))

    def _reply(self, reply: ApprovalReply) -> None:
        self.post_message(self.Replied(reply))
