"""The strip above the prompt while calls wait for approval."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from qcode.protocol.events import ApprovalRequested
from qcode.protocol.inputs import ApprovalReply
from qcode.tui.chat.approvals import Shown, approval_lines, diffs
from qcode.tui.chat.keys import STRIP
from qcode.tui.lines import Line
from qcode.tui.widgets.painted import Paint, Painted

GUARD_SECONDS = 0.3
"""A key so soon after a call has come up was meant for something else."""

LEAST_ROWS, MOST_SHARE = 6, 0.5
"""Lines that the strip may take, and the share of the screen that it never exceeds."""

Scope = Literal["once", "batch", "session", "project"]


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
        *(Binding(row.key, row.what, row.help, show=False) for row in STRIP if row.what != "stop"),
        Binding("left,up", "turn(-1)", "the one before", show=False),
        Binding("right,down", "turn(1)", "the next one", show=False),
    ]
    DEFAULT_CSS = """
    ApprovalStrip { height: auto; border-top: solid $accent; display: none; }
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

    def __init__(self, paint: Paint, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.calls: tuple[ApprovalRequested, ...] = ()
        self._body = _Body(paint, self._lines)
        self._clock = clock
        self._at = 0
        self._since = 0.0
        self._whole = False

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
        before = self.current
        self.calls = tuple(calls)
        at = next((i for i, one in enumerate(calls) if before and one is before), None)
        self._at = min(self._at, max(len(calls) - 1, 0)) if at is None else at
        if self.current is not before:
            self._came_up()
        self.set_class(bool(self.calls), "open")
        self._body.redraw()

    def close_words(self) -> bool:
        """Give up saying why; False = nobody was."""
        if not self.has_class("telling"):
            return False
        self.remove_class("telling")
        self.focus()
        return True

    # -- what it shows

    def _came_up(self) -> None:
        self._since, self._whole = self._clock(), False
        self.remove_class("telling")
        self.query_one(Input).value = ""

    def _lines(self, width: int) -> Sequence[Line]:
        if self.current is None:
            return ()
        rows = max(LEAST_ROWS, int(self.screen.size.height * MOST_SHARE))
        shown = Shown(width, rows, self._at + 1, len(self.calls))
        return approval_lines(self.current, replace(shown, whole=self._whole))

    # -- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is an answer before one could have read the question."""
        return self._clock() - self._since >= GUARD_SECONDS

    def action_once(self) -> None:
        self._allow("once")

    def action_batch(self) -> None:
        calls = self.calls if len(self.calls) > 1 else ()
        if self.current is None or not (calls or self.current.behind):
            return
        for asked in calls or (self.current,):
            scope: Scope = "batch" if asked.behind else "once"
            self._reply(ApprovalReply(asked.request_id, "allow", scope=scope))

    def action_session(self) -> None:
        self._allow("session")

    def action_project(self) -> None:
        self._allow("project")

    def action_no(self) -> None:
        if self.current is not None:
            self._reply(ApprovalReply(self.current.request_id, "deny"))

    def action_tell(self) -> None:
        self.add_class("telling")
        self.query_one(Input).focus()

    def action_view(self) -> None:
        if self.current is not None and diffs(self.current):
            self.post_message(self.ReviewWanted(self.current))
            return
        self._whole = not self._whole
        self._body.redraw()

    def action_turn(self, step: int) -> None:
        if len(self.calls) > 1:
            self._at = (self._at + step) % len(self.calls)
            self._came_up()
            self._body.redraw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        words = event.value.strip()
        if words and self.current is not None:
            self.focus()
            self._reply(ApprovalReply(self.current.request_id, "deny", words))

    def _allow(self, scope: Scope) -> None:
        asked = self.current
        if asked is not None and (scope == "once" or asked.rules):
            self._reply(ApprovalReply(asked.request_id, "allow", scope=scope))

    def _reply(self, reply: ApprovalReply) -> None:
        self.post_message(self.Replied(reply))
