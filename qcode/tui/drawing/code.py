"""Code in an answer: a bar, colours, long rows broken."""

from collections.abc import Iterable

from qcode.tui.drawing.highlight import Row, highlight
from qcode.tui.drawing.margin import ornament
from qcode.tui.drawing.visible import visible
from qcode.tui.drawing.wrap import chop
from qcode.tui.lines import Line, Span

TAB_CELLS = 4
BAR = Span("│ ", "gutter")


def code_lines(code: str, language: str, width: int) -> list[Line]:
    """All of a block of code."""
    shown = visible(code).expandtabs(TAB_CELLS)
    return barred(highlight(shown, language) if shown.strip("\n") else [], width)


def barred(rows: Iterable[Row], width: int) -> list[Line]:
    """Rows of code behind their bar."""
    return [line for row in rows for line in ornament(chop(row, width - 2), BAR)]
