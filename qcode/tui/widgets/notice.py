"""One line for what is worth a glance: `copied 12 lines`. It goes away by itself."""

from collections.abc import Sequence
from typing import Literal

from textual.timer import Timer

from qcode.tui.drawing.visible import safe
from qcode.tui.drawing.wrap import wrap
from qcode.tui.lines import Line, Span, line
from qcode.tui.paint import Paint
from qcode.tui.widgets.painted import Painted

SECONDS = 4.0
MOST_ROWS = 3

Level = Literal["info", "warning", "error"]
_STYLES = {"info": "dim", "warning": "warning", "error": "error"}


class NoticeLine(Painted):
    """Hidden while there is nothing to say."""

    DEFAULT_CSS = """
    NoticeLine { display: none; }
    NoticeLine.open { display: block; }
    """

    def __init__(self, paint: Paint) -> None:
        super().__init__(paint)
        self.text = ""
        self._level: Level = "info"
        self._timer: Timer | None = None

    def say(self, text: str, level: Level = "info", seconds: float = SECONDS) -> None:
        """In place of what was said before."""
        self.text, self._level = text, level
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(seconds, self.hush)
        self.add_class("open")
        self.redraw()

    def hush(self) -> None:
        """Nothing more to say."""
        self.text = ""
        self.remove_class("open")

    def drawn(self, width: int) -> Sequence[Line]:
        rows = wrap([Span(safe(self.text), _STYLES[self._level])], width - 4)[:MOST_ROWS]
        return [line(Span("   "), *row.spans) for row in rows]
