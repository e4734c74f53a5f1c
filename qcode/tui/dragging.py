"""A selection that is drawn past the edge of the conversation: it scrolls on, and goes along.

Textual scrolls widgets that it scrolls itself, and ends a selection that leaves one with all of it.
"""

from collections.abc import Callable

from textual.events import MouseDown, MouseMove
from textual.geometry import Offset
from textual.selection import Selection
from textual.timer import Timer
from textual.widget import Widget

from qcode.tui.layout import ROWS
from qcode.tui.picture import Picture

TICK_SECONDS = 0.05
MOST_ROWS = 8
"""At once; the farther off the pointer is, the more."""


def within(selection: Selection, picture: Picture) -> Selection:
    """One that was begun outside: from the first row that is seen, or to the last."""
    rows = [one.row.place for one in picture.shown if one.row.place]
    first = Offset(0, rows[0].number) if rows else Offset()
    last = Offset(ROWS, rows[-1].number) if rows else Offset()
    return Selection(selection.start or first, selection.end or last)


class Drag:
    """Over one widget whose rows are those of `picture`. `roll` moves them, and lays them out."""

    def __init__(self, widget: Widget, picture: Picture, roll: Callable[[int], None]) -> None:
        self._widget = widget
        self._picture = picture
        self._roll = roll
        self._start: Offset | None = None
        """Where it began, in the text."""
        self._row = 0
        """The same, on the screen."""
        self._pointer = Offset()
        self._timer: Timer | None = None

    def begin(self, x: int, y: int) -> None:
        """The button is down there; on the screen, as all offsets here."""
        self.end()
        widget, offset = self._widget.screen.get_widget_and_offset_at(x, y)
        self._start = offset if widget is self._widget else None
        self._row = y

    def move(self, event: MouseMove) -> None:
        """The pointer is there by now."""
        if self._start is None or not event.button:
            self.end()
            return
        self._widget.capture_mouse()  # else what is over there would hear of it, and not we
        self._pointer = event.screen_offset
        if self._beyond():
            self._select()
        if self._by() and self._timer is None:
            self._timer = self._widget.set_interval(TICK_SECONDS, self._tick)

    def end(self) -> None:
        """The button is up again."""
        self._start = None
        self._rest()
        if self._widget.app.mouse_captured is self._widget:
            self._widget.release_mouse()

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _tick(self) -> None:
        by = self._by()
        if not by or self._start is None:
            self._rest()
            return
        self._roll(by)
        self._select()

    def _beyond(self) -> int:
        """Rows that the pointer is below the last one, or above the first: negative."""
        top, bottom = self._widget.region.y, self._widget.region.bottom
        return min(self._pointer.y - top, 0) or max(self._pointer.y - bottom + 1, 0)

    def _by(self) -> int:
        """Rows to scroll at once. On the last row and the first one, too: there may be none beyond
        it. Where the drag began on that row, it may be meant to stay there."""
        region, y = self._widget.region, self._pointer.y
        beyond = self._beyond()
        if not beyond and y == region.y and self._row > y:
            return -1
        if y == region.bottom - 1:
            return 1 if self._row < y else 0
        return max(-MOST_ROWS, min(beyond, MOST_ROWS))

    def _select(self) -> None:
        """From where it began to the row at the edge."""
        rows = [one.row.place for one in self._picture.shown if one.row.place]
        if self._start is None or not rows:
            return
        up = self._by() < 0
        end = Offset(0, rows[0].number) if up else Offset(ROWS, rows[-1].number)
        chosen = Selection.from_offsets(self._start, end)
        self._widget.screen.selections = {self._widget: chosen}


class Draggable(Widget):
    """A widget on which a selection goes on past the edges."""

    drag: Drag

    def on_mouse_down(self, event: MouseDown) -> None:
        """Perhaps a selection begins."""
        self.drag.begin(event.screen_x, event.screen_y)

    def on_mouse_move(self, event: MouseMove) -> None:
        """It goes on past the edges."""
        self.drag.move(event)

    def on_mouse_up(self) -> None:
        """It is made."""
        self.drag.end()
