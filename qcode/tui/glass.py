"""What stands on the terminal, and how it is changed with the fewest bytes.

Textual writes whole rows and knows no scrolling: a new line at the foot of the conversation costs
every row of it. While nothing lies over the conversation, its rows are therefore written from here:
the terminal scrolls what only moves, and of a row that changed, the part behind what did not.
Whoever uses this compares with what Textual itself would paint (`tests/tui/test_view_glass.py`).
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from rich.color import ColorSystem
from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip

from qcode.tui.paint import Brush, Painted

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.widget import Widget

BUSY_WRITES = 8
"""Writes that wait for a slow terminal; from so many on we wait too."""


class Way(NamedTuple):
    """To the terminal."""

    driver: "Driver"
    colours: ColorSystem
    cursor: tuple[int, int]
    """Where it has to stand afterwards, column and row."""
    synchronized: bool
    """The terminal shows what stands between two marks at once."""
    busy: bool


class Glass:
    """The rows of one region, as they stand on the terminal. None = not known."""

    def __init__(self) -> None:
        self.region = Region()
        self._rows: list[Painted | None] = []

    def forget(self) -> None:
        """Somebody else has written there."""
        self._rows = [None] * self.region.height

    def fit(self, region: Region) -> None:
        """It lies there from now on."""
        if region != self.region:
            self.region = region
            self.forget()

    def change(self, rows: Sequence[Painted], shift: int, brush: Brush, way: Way) -> str:
        """What makes the terminal show `rows`. They stand `shift` rows higher than before, those
        that were seen before; negative: lower; 0: where they were, or they are all new."""
        written = []
        if shift:
            written.append(self._scroll(shift))
        for y, row in enumerate(rows):
            if row is not self._rows[y]:
                written.append(self._row(y, row, brush, way.colours))
                self._rows[y] = row
        if not (text := "".join(written)):
            return ""
        column, line = way.cursor
        text += f"\x1b[{line + 1};{column + 1}H"
        return f"\x1b[?2026h{text}\x1b[?2026l" if way.synchronized else text

    def _scroll(self, shift: int) -> str:
        top, bottom = self.region.y + 1, self.region.bottom
        empty: list[Painted | None] = [None] * abs(shift)
        if shift > 0:
            self._rows = [*self._rows[shift:], *empty]
        else:
            self._rows = [*empty, *self._rows[:shift]]
        # Lines are deleted and inserted within margins: every terminal since the VT102 can, while
        # "scroll up" and "scroll down" are younger.
        how = f"{shift}M" if shift > 0 else f"{-shift}L"
        return f"\x1b[{top};{bottom}r\x1b[{top};1H\x1b[{how}\x1b[r"

    def _row(self, y: int, row: Painted, brush: Brush, colours: ColorSystem) -> str:
        old = self._rows[y]
        if old is None or not (old.narrow and row.narrow):
            # Where the terminal takes a sign for narrower than we do, the row ends too early, and
            # what stood there would stay.
            empty = f"\x1b[{self.region.width}X"
            shown = _sequence(Segment(empty, brush.base), colours)
            shown += "".join(_sequence(segment, colours) for segment in row.strip)
            return self._at(0, y) + shown
        column, segments = _behind(list(old.text), list(row.text))
        over = old.text.cell_length - row.text.cell_length
        segments += brush.fill(over) if over > 0 else ()
        shown = "".join(_sequence(segment, colours) for segment in segments)
        return self._at(column, y) + shown if shown else ""

    def _at(self, column: int, y: int) -> str:
        return f"\x1b[{self.region.y + y + 1};{self.region.x + column + 1}H"


def _behind(old: list[Segment], new: list[Segment]) -> tuple[int, list[Segment]]:
    """Where the new row begins to differ, and what stands from there on. One cell a sign."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    column = sum(len(segment.text) for segment in new[:same])
    rest = new[same:]
    if not rest or same == len(old) or rest[0].style != old[same].style:
        return column, rest
    text, before = rest[0].text, old[same].text
    equal = sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, before, strict=False))
    )
    first = [Segment(text[equal:], rest[0].style)] if equal < len(text) else []
    return column + equal, first + rest[1:]


def _sequence(segment: Segment, colours: ColorSystem) -> str:
    if segment.style is None:
        return segment.text
    return Strip.render_style(segment.style, segment.text, colours)


def way(widget: "Widget") -> Way | None:
    """To the terminal; None while only Textual may write where `widget` is seen: there is no
    terminal, another screen is on top, something lies over it, or a new layout is due.

    Looks at attributes that Textual does not promise to keep; without them the answer is None.
    """
    app, screen = widget.app, widget.screen
    try:
        driver = app._driver
        if driver is None or app.is_headless or app.is_inline or app.is_web:
            return None
        if not app._running or app._batch_count or app.screen is not screen:
            return None
        if screen._layout_required or _covered(widget):
            return None
        colours = app.console._color_system or ColorSystem.TRUECOLOR
        return Way(driver, colours, app.cursor_position, app._sync_available, _busy(driver))
    except AttributeError:
        return None


def _covered(widget: "Widget") -> bool:
    """Whether something is drawn over `widget`, or it does not lie whole on the screen."""
    for other, (region, clip) in widget.screen._compositor.visible_widgets.items():
        if other is widget:
            return clip.intersection(region) != region
        if region.intersection(clip).overlaps(widget.region):
            return True
    return True


def _busy(driver: "Driver") -> bool:
    thread = getattr(driver, "_writer_thread", None)
    return thread is not None and thread._queue.qsize() >= BUSY_WRITES
