"""The strip above the prompt while no server answers: what one can do about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from qcode.protocol.events import NotBegun
from qcode.tui.chat.keys import NO_SERVER
from qcode.tui.chat.offers import offer, rows
from qcode.tui.lines import Line, Span, line
from qcode.tui.paint import Paint
from qcode.tui.widgets.painted import Painted

OFFERS = (
    ("r", "try again"),
    ("a", "enter an address"),
    ("m", "serve a model file"),
    ("d", "watch the demo (no model)"),
    ("q", "quit"),
)


class _Body(Painted):
    failed: NotBegun | None = None
    serves = False

    def drawn(self, width: int) -> Sequence[Line]:
        if self.failed is None:
            return ()
        return tuple(onboarding_lines(self.failed, width, "yes" if self.serves else "no"))


class OnboardingStrip(Vertical, can_focus=True):
    """Posts `Wanted`. Closes with Esc: then the prompt can be used as ever."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(row.key, row.what, row.help, show=False) for row in NO_SERVER
    ]
    DEFAULT_CSS = """
    OnboardingStrip { height: auto; border-top: solid $accent; display: none; }
    OnboardingStrip:focus { border-top: heavy $accent; }
    OnboardingStrip.open { display: block; }
    OnboardingStrip Input { display: none; margin: 0 3; }
    OnboardingStrip.addressing Input { display: block; }
    """

    @dataclass
    class Wanted(Message):
        """What the person chose."""

        what: str
        """again, address, model_file, demo, leave."""
        address: str = ""

    class Closed(Message):
        """Neither."""

    def __init__(self, paint: Paint, *, serves: bool = False) -> None:
        """`serves`: qcode can serve a model here."""
        super().__init__()
        self._body = _Body(paint)
        self._body.serves = serves

    def compose(self) -> ComposeResult:
        yield self._body
        yield Input(
            placeholder="http://127.0.0.1:8080/v1   Enter tries it, Esc goes back", compact=True
        )

    @property
    def failed(self) -> NotBegun | None:
        """What it is about; None = it is closed."""
        return self._body.failed

    def show(self, failed: NotBegun | None) -> None:
        """This happened; None = a server is there."""
        self._body.failed = failed
        self.set_class(failed is not None, "open")
        self.remove_class("addressing")
        self._body.redraw()

    def back(self) -> None:
        """From the address to the keys, from these to the prompt."""
        if self.has_class("addressing"):
            self.remove_class("addressing")
            self.focus()
        else:
            self.post_message(self.Closed())

    def action_want(self, what: str) -> None:
        self.post_message(self.Wanted(what))

    def action_address(self) -> None:
        self.add_class("addressing")
        self.screen.set_focus(self.query_one(Input))  # at once, for the letters behind the key

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if address := event.value.strip():
            self.post_message(self.Wanted("address", address))


def onboarding_lines(
    failed: NotBegun, width: int, serves: Literal["yes", "no"] = "yes"
) -> Iterator[Line]:
    """What can be done; what happened stands in the conversation already."""
    gone = failed.error in ("ServerGone", "")
    head = "No server answers yet" if gone else "The session cannot begin yet"
    yield line(Span(f" {head}", "strong"))
    yield from rows((offer(*one) for one in OFFERS if one[0] != "m" or serves == "yes"), width)
