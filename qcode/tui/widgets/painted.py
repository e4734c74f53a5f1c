"""A widget that shows lines as they are, as high as there are lines."""

from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from qcode.tui.lines import Line

Paint = Callable[[str], Style]
"""Names of styles -> a style; the app's palette as it is now."""


class Painted(Widget):
    """Subclasses say in `drawn` what they show, and call `redraw` when that changes."""

    DEFAULT_CSS = "Painted { height: auto; }"

    def __init__(self, paint: Paint, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.paint = paint
        self._lines: tuple[Line, ...] | None = None
        self._width = 0

    def drawn(self, width: int) -> Sequence[Line]:
        """The lines, none of them wider than `width`."""
        raise NotImplementedError

    def redraw(self) -> None:
        """What is shown has changed, and so may its height."""
        self._lines = None
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """See `Widget`."""
        return len(self._drawn(width))

    def render_line(self, y: int) -> Strip:
        """See `Widget`."""
        width, lines = self.size.width, self._drawn(self.size.width)
        back = self.rich_style
        if y >= len(lines):
            return Strip.blank(width, back)
        segments = [Segment(span.text, back + self.paint(span.style)) for span in lines[y].spans]
        return Strip(segments).adjust_cell_length(width, back)

    def _drawn(self, width: int) -> tuple[Line, ...]:
        if self._lines is None or self._width != width:
            self._lines, self._width = tuple(self.drawn(width)), width
        return self._lines
