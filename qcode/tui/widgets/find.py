"""A line to search the conversation with."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from qcode.tui.chat.keys import FINDING


class FindLine(Horizontal):
    """Hidden until `open`. Posts `Sought` at each change, `Stepped` and `Closed`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(row.key, row.what, row.help, show=False, priority=True) for row in FINDING
    ]
    DEFAULT_CSS = """
    FindLine { height: 1; display: none; }
    FindLine.open { display: block; }
    FindLine Input { width: 1fr; padding: 0 1; }
    FindLine .mark { width: 8; padding: 0 1; color: $accent; }
    FindLine .count { width: auto; padding: 0 2; color: $text-muted; }
    """

    @dataclass
    class Sought(Message):
        """These words; empty = none."""

        words: str

    @dataclass
    class Stepped(Message):
        """To the next place below (1) or above (-1)."""

        by: int

    class Closed(Message):
        """No more of it."""

    def compose(self) -> ComposeResult:
        yield Static("find", classes="mark")
        yield Input(placeholder="words of the conversation", compact=True)
        yield Static("", classes="count")

    @property
    def is_open(self) -> bool:
        """Whether it is to be seen."""
        return self.has_class("open")

    def open(self) -> None:
        """Ask for words; those of before stand there still."""
        self.add_class("open")
        field = self.query_one(Input)
        self.screen.set_focus(field)  # at once: `focus` would be a turn late, and the next letter
        field.select_all()
        self.post_message(self.Sought(field.value))

    def tell(self, count: int, of: Literal["so far", "all"]) -> None:
        """How often they occur."""
        words = self.query_one(Input).value.strip()
        times = "once" if count == 1 else f"{count} times" if count else "nowhere"
        if of == "so far":
            times = f"{count} so far" if count else "looking"
        self.query_one(".count", Static).update(
            f"{times}   ⏎ next  ↑ before  esc back" if words else "esc back"
        )

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Sought(event.value))

    def action_step(self, by: int) -> None:
        self.post_message(self.Stepped(by))

    def action_close(self) -> None:
        self.remove_class("open")
        self.post_message(self.Closed())
