"""Lines of styled text as Textual's strips."""

from collections.abc import Callable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from qcode.tui.lines import Line

Paint = Callable[[str], Style]
"""`palette.Palette`: names of styles -> a style."""


def strip(line: Line, paint: Paint, width: int, base: Style) -> Strip:
    """`line` on `base`, filled or cut to `width` cells."""
    segments = [Segment(span.text, base + paint(span.style)) for span in line.spans if span.text]
    return Strip(segments, line.width).adjust_cell_length(width, base)
