"""The keys of the review, over it."""

from collections.abc import Collection
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from qcode.tui.paint import Paint
from qcode.tui.review.chrome import help_lines
from qcode.tui.review.keys import Key
from qcode.tui.review.view import Column


class KeysScreen(ModalScreen[None]):
    """All keys of the review."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "close", "back", show=False),
        Binding("ctrl+c", "close", "back", show=False),
        Binding("ctrl+z", "app.suspend_process", "to the background", show=False),
    ]
    DEFAULT_CSS = """
    KeysScreen { align: center middle; }
    KeysScreen > Column { width: 70; max-width: 100%; height: auto; max-height: 90%; }
    """

    def __init__(self, keys: Collection[Key], paint: Paint) -> None:
        super().__init__()
        self._lines = help_lines(tuple(keys), 68)
        self._paint = paint

    def compose(self) -> ComposeResult:
        yield Column(self._paint, id="help")

    def on_mount(self) -> None:
        column = self.query_one(Column)
        column.styles.height = len(self._lines)
        column.show(self._lines)
        column.can_focus = True
        column.focus()

    def action_close(self) -> None:
        self.dismiss(None)
