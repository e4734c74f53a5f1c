"""A widget that shows lines as they are, as high as there are lines."""

import logging
from collections.abc import Callable, Sequence

from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from qcode.tui.lines import Line, Span
from qcode.tui.paint import Paint, filled

LOG = logging.getLogger(__name__)


def safely(draw: Callable[[], Sequence[Line]], paint: Paint) -> Sequence[Line]:
    """The lines, or one that says that they cannot be drawn: a defect there must not cost the
    screen, which would only break again."""
    try:
        lines = tuple(draw())
        for line in lines:
            for span in line.spans:
                paint(span.style)
    except Exception as error:
        LOG.exception("a strip cannot be drawn")
        return (Line((Span(f" This cannot be drawn ({type(error).__name__})", "error"),)),)
    return lines


class Painted(Widget):
    """Subclasses say in `drawn` what they show, and call `redraw` when that changes."""

    ALLOW_SELECT = False  # Textual would give its name for the text under a selection
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
        return filled(lines[y], self.paint, back, width)

    def _drawn(self, width: int) -> tuple[Line, ...]:
        if self._lines is None or self._width != width:
            self._lines = tuple(safely(lambda: self.drawn(width), self.paint))
            self._width = width
        return self._lines
