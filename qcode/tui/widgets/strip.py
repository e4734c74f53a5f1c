"""One row of spans. It is as high as that, whatever happens."""

from textual.strip import Strip
from textual.widget import Widget

from qcode.tui.lines import Line
from qcode.tui.paint import Paint, filled
from qcode.tui.widgets.painted import safely


class OneRow(Widget):
    """Subclasses say in `drawn` what the row shows."""

    DEFAULT_CSS = "OneRow { height: 1; min-height: 1; }"
    ALLOW_SELECT = False

    def __init__(self, paint: Paint, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.paint = paint
        self.repaints = 0
        """Rows drawn so far, for tests."""

    def drawn(self, width: int) -> Line:
        """The row, at most `width` wide."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """See `Widget`."""
        width, back = self.size.width, self.rich_style
        if y:
            return Strip.blank(width, back)
        self.repaints += 1
        (line,) = safely(lambda: (self.drawn(width),), self.paint)
        return filled(line, self.paint, back, width)
