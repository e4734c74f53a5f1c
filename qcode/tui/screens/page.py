"""A page of lines over the conversation: to read, to scroll, to close."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen

from qcode.protocol.cells import cells
from qcode.tui.lines import BLANK, Line, Span, line
from qcode.tui.paint import Paint
from qcode.tui.widgets.painted import Painted

Lines = Callable[[int], Sequence[Line]]
"""A width -> the lines, none of them wider."""


class _Sheet(Painted):
    def __init__(self, paint: Paint, title: str, lines: Lines) -> None:
        super().__init__(paint)
        self._title = title
        self.of = lines

    def drawn(self, width: int) -> Sequence[Line]:
        hint = "esc back "
        gap = " " * max(width - cells(self._title) - cells(hint) - 1, 1)
        title = line(Span(f" {self._title}", "strong"), Span(gap), Span(hint, "dim"))
        return (title, line(Span("─" * width, "rule")), BLANK, *self.of(width))


class Page(Screen[None]):
    """Shows what `lines` says; `show` changes that."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,ctrl+c,ctrl+d", "close", "back", show=False),
        Binding("ctrl+z", "app.suspend_process", "to the background", show=False),
        Binding("j", "sheet('down')", "down", show=False),
        Binding("k", "sheet('up')", "up", show=False),
        Binding("space", "sheet('page_down')", "a page down", show=False),
    ]
    DEFAULT_CSS = """
    Page { background: $background; }
    Page VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
    """

    def __init__(self, paint: Paint, title: str, lines: Lines) -> None:
        super().__init__()
        self._sheet = _Sheet(paint, title, lines)

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield self._sheet

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def show(self, lines: Lines) -> None:
        """These lines from now on."""
        self._sheet.of = lines
        self._sheet.redraw()

    def action_close(self) -> None:
        self.dismiss(None)

    def action_sheet(self, where: str) -> None:
        sheet = self.query_one(VerticalScroll)
        match where:
            case "down":
                sheet.scroll_down(animate=False)
            case "up":
                sheet.scroll_up(animate=False)
            case _:
                sheet.scroll_page_down(animate=False)
