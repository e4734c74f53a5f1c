"""Until the virtual view is here: the end of the conversation, drawn whole."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from qcode.tui.blocks import Block
from qcode.tui.drawing.draw import draw
from qcode.tui.drawing.view import View
from qcode.tui.lines import BLANK, Line
from qcode.tui.widgets.painted import Paint, Painted


class _All(Painted):
    blocks: Sequence[Block] = ()

    def drawn(self, width: int) -> Sequence[Line]:
        found: list[Line] = []
        for block in self.blocks[-60:]:
            found += [BLANK, *draw(block, View(width))]
        return found


class Standin(VerticalScroll, can_focus=False):
    """Not virtual."""

    DEFAULT_CSS = "Standin { height: 1fr; scrollbar-size-vertical: 1; }"

    def __init__(self, paint: Paint) -> None:
        super().__init__()
        self.all = _All(paint)

    def compose(self) -> ComposeResult:
        yield self.all

    def show(self, blocks: Sequence[Block]) -> None:
        """All of them."""
        self.all.blocks = blocks
        self.all.redraw()
        self.scroll_end(animate=False)
