"""The strip above the prompt while the model asks something."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from qcode.protocol.events import QuestionAsked
from qcode.protocol.inputs import QuestionReply
from qcode.tui.drawing.visible import safe
from qcode.tui.drawing.wrap import wrap, wrap_text
from qcode.tui.lines import Line, Span, line
from qcode.tui.paint import Paint
from qcode.tui.plain_replies import chosen
from qcode.tui.widgets.approval import GUARD_SECONDS
from qcode.tui.widgets.letters import HOLD_SECONDS
from qcode.tui.widgets.painted import Painted


class _Body(Painted):
    asked: QuestionAsked | None = None

    def drawn(self, width: int) -> Sequence[Line]:
        return tuple(question_lines(self.asked, width)) if self.asked else ()


class QuestionStrip(Vertical):
    """A number that stays alone chooses; words are written out. Posts `Replied`."""

    DEFAULT_CSS = """
    QuestionStrip { height: auto; border-top: solid $accent; display: none; }
    QuestionStrip:focus-within { border-top: heavy $accent; }
    QuestionStrip.open { display: block; }
    QuestionStrip Input { margin: 0 3; }
    """

    @dataclass
    class Replied(Message):
        """The person's answer."""

        reply: QuestionReply

    def __init__(self, paint: Paint, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._body = _Body(paint)
        self._clock = clock
        self._since = 0.0
        self._alone: Timer | None = None
        """Runs while a number may be the beginning of words."""

    def compose(self) -> ComposeResult:
        yield self._body
        yield Input(placeholder="your answer", compact=True)

    @property
    def asked(self) -> QuestionAsked | None:
        """What is open."""
        return self._body.asked

    def show(self, asked: QuestionAsked | None) -> None:
        """This is asked, or nothing."""
        if asked is not self.asked:
            self._stop_waiting()
            self._body.asked, self._since = asked, self._clock()
            self.query_one(Input).value = ""
            self._body.redraw()
        self.set_class(asked is not None, "open")

    def focus(self, scroll_visible: bool = True) -> "QuestionStrip":  # noqa: FBT001, FBT002 - Textual's signature
        """The keys go to its answer."""
        self.query_one(Input).focus(scroll_visible)
        return self

    def on_input_changed(self, event: Input.Changed) -> None:
        """The number of a choice is an answer once it has stayed alone: words may begin with it."""
        event.stop()
        self._stop_waiting()
        asked, typed = self.asked, event.value
        if asked is None or not typed:
            return
        if self._clock() - self._since < GUARD_SECONDS:
            event.input.value = ""
        elif typed.isdecimal() and len(asked.choices) < 10 and 0 < int(typed) <= len(asked.choices):
            answer = chosen(typed, asked.choices)
            self._alone = self.set_timer(HOLD_SECONDS, lambda: self._reply(asked, answer))

    def _stop_waiting(self) -> None:
        if self._alone is not None:
            self._alone.stop()
            self._alone = None

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.asked is not None and event.value.strip():
            self._reply(self.asked, chosen(event.value, self.asked.choices))

    def _reply(self, asked: QuestionAsked, answer: str) -> None:
        self._stop_waiting()
        self.post_message(self.Replied(QuestionReply(asked.request_id, answer)))


def question_lines(asked: QuestionAsked, width: int) -> Iterator[Line]:
    """The question, its choices with numbers, what to do."""
    for row in wrap_text(safe(asked.question), width - 2, "strong"):
        yield line(Span(" "), *row.spans)
    for number, choice in enumerate(asked.choices, 1):
        for at, row in enumerate(wrap([Span(safe(choice))], width - 7)):
            mark = f" {number:>3} " if at == 0 else "     "
            yield line(Span(mark, "accent"), *row.spans)
    how = "a number chooses; or write an answer" if asked.choices else "write an answer"
    yield line(Span(f" {how}; Esc interrupts", "dim"))
