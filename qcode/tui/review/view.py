"""Widgets of a review. They draw lines and say what was clicked; they decide nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBarRender
from textual.selection import Selection
from textual.strip import Strip
from textual.widgets import Input, TextArea

from qcode.protocol.cells import cells
from qcode.tui.lines import Line
from qcode.tui.paint import Paint, strip
from qcode.tui.review.page import Page


class _WholeCells(ScrollBarRender):
    """Without the halves of a cell that would stand beside a row like a sign of it."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8


class Column(ScrollView):
    """Lines that scroll. Only those in the window are made into strips."""

    DEFAULT_CSS = "Column { scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; }"

    @dataclass
    class Clicked(Message):
        """A line was clicked."""

        column: "Column"
        line: int

    def __init__(self, paint: Paint, *, id: str) -> None:
        super().__init__(id=id)
        self._paint = paint
        self._lines: Sequence[Line] = ()

    def on_mount(self) -> None:
        self.vertical_scrollbar.renderer = _WholeCells  # type: ignore[misc]  # of this bar alone

    def show(self, lines: Sequence[Line]) -> None:
        """These, from now on."""
        self._lines = lines
        self.virtual_size = Size(self.scrollable_content_region.width, len(lines))
        self.refresh()

    def reveal(self, first: int, end: int) -> None:
        """Scroll as little as shows these lines; of too many, the first."""
        height = self.scrollable_content_region.height
        top = self.scroll_offset.y
        if first < top or end - first > height:
            self.scroll_to(y=first, animate=False)
        elif end > top + height:
            self.scroll_to(y=end - height, animate=False)

    def render_line(self, y: int) -> Strip:
        """See `ScrollView`."""
        width, at = self.scrollable_content_region.width, y + self.scroll_offset.y
        back = self.rich_style
        if at >= len(self._lines):
            return Strip.blank(width, back)
        row = strip(self._lines[at], self._paint, back)
        if (chosen := self.text_selection) and (span := chosen.get_span(at)):
            row = self._chosen(row, *span)
        return row.adjust_cell_length(width, back).apply_offsets(0, at)

    def _chosen(self, row: Strip, start: int, end: int) -> Strip:
        """With the cells between set off; -1 = up to the end."""
        end = row.cell_length if end == -1 else min(end, row.cell_length)
        start = min(start, end)
        left, middle, right = row.crop(0, start), row.crop(start, end), row.crop(end)
        return Strip.join([left, middle.apply_style(self._paint("selection")), right])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The words under the selection, without bars, numbers and signs at their left."""
        made: list[str] = []
        for at, line in enumerate(self._lines):
            if (span := selection.get_span(at)) is None:
                continue
            start, end = span
            text = line.text[max(start, line.skip) : None if end == -1 else end].rstrip()
            made += [line.joins, text] if made else [text]
        return "".join(made), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """See `Widget`."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Tell the screen which line it was."""
        self.post_message(self.Clicked(self, event.y + self.scroll_offset.y))


class PageView(Column, can_focus=True):
    """The hunks of a file."""

    class Sized(Message):
        """It has another size, or has one again: its lines are to be drawn for that."""

    def __init__(self, paint: Paint, *, id: str) -> None:
        super().__init__(paint, id=id)
        self.page = Page((), ())

    def turn(self, page: Page) -> None:
        """Another page, or the same with other marks."""
        self.page = page
        self.show(page.lines)

    def on_resize(self) -> None:
        """Behind the editor it had no size, and what was decided there was not drawn."""
        self.post_message(self.Sized())


class Bar(Column):
    """Lines that do not scroll; what is clicked in them may lead somewhere."""

    @dataclass
    class Followed(Message):
        """A span with a link was clicked."""

        link: str

    DEFAULT_CSS = "Bar { height: 1; overflow: hidden hidden; }"

    def on_click(self, event: events.Click) -> None:
        """Find the span under the pointer."""
        event.stop()
        left = 0
        for span in self._lines[event.y].spans if event.y < len(self._lines) else ():
            left += cells(span.text)
            if event.x < left:
                if span.link:
                    self.post_message(self.Followed(span.link))
                return


class HunkEditor(TextArea):
    """The new lines of one hunk, to be written anew."""

    DEFAULT_CSS = """
    HunkEditor { height: auto; min-height: 1; max-height: 70%; border: none; padding: 0 1; }
    """

    @dataclass
    class Kept(Message):
        """The person is done."""

        text: str

    @dataclass
    class Left(Message):
        """The person leaves; the text may be wanted later."""

        text: str

    def __init__(self) -> None:
        super().__init__(compact=True, show_line_numbers=True, tab_behavior="indent")
        self.cursor_blink = False
        self._end = ""
        self._blank = False

    def begin(self, lines: str) -> None:
        """With these. The end of the last one is no row of its own."""
        self._end = "\n" if lines.endswith("\n") else ""
        self._blank = lines == "\n"
        self.load_text(lines.removesuffix("\n"))

    @property
    def lines(self) -> str:
        """As they are now; empty = none are left."""
        return self.text + self._end if self.text or self._blank else ""

    async def _on_key(self, event: events.Key) -> None:
        # Not as bindings: they would overtake the words that came with them in one read.
        said = {"ctrl+s": self.Kept, "escape": self.Left}.get(event.key)
        if said is None:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        self.post_message(said(self.lines))


class CommentInput(Input):
    """One line about a hunk."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave it", show=False, priority=True)
    ]

    class Left(Message):
        """The person leaves; what was said before stays."""

    def action_leave(self) -> None:
        """Post that."""
        self.post_message(self.Left())
