"""The themes, each shown while it is at hand."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message

from qcode.tui.paint import Paint
from qcode.tui.picker.frame import Sheet
from qcode.tui.picker.rows import Row
from qcode.tui.screens.pickers import CHOOSE, About, Picker
from qcode.tui.themes import Theme


class ThemePicker(Picker[Theme]):
    """Says `Tried` for each theme at hand, and for the first one when nothing was chosen."""

    @dataclass
    class Tried(Message):
        """Show this theme now; nothing is decided yet."""

        theme: Theme

    def __init__(self, themes: Sequence[Theme], now: str, paint: Paint) -> None:
        rows = [
            Row(
                theme,
                theme.title,
                theme.appearance,
                theme.name,
                mark="now" if theme.name == now else "",
            )
            for theme in themes
        ]
        sheet = Sheet("theme", placeholder="shown as you go", hints=CHOOSE)
        super().__init__(About(sheet, rows, order="as given"), paint)
        self._first = next((theme for theme in themes if theme.name == now), None)
        self._shown = now

    def looked_at(self, row: Row[Theme] | None) -> None:
        """Show it."""
        if row and row.value.name != self._shown:
            self._shown = row.value.name
            self.post_message(self.Tried(row.value))

    def left(self) -> None:
        """As it was."""
        if self._first and self._shown != self._first.name:
            self.post_message(self.Tried(self._first))
