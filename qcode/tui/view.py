"""The conversation on the screen: one widget, whatever its length.

Only the rows in sight are laid out and painted, at most thirty times a second, and of those only
the ones that changed. While nothing lies over it, it writes to the terminal itself (`glass`); else,
and with `ways="textual"`, it asks Textual to. It draws its whole region: no border, no padding.
"""

from collections.abc import Iterable
from typing import ClassVar, Literal

from textual import events
from textual.geometry import Offset, Region
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip

from qcode.tui.blocks import Block, CallBlock, ReasoningBlock
from qcode.tui.copying import between
from qcode.tui.dragging import Drag, Draggable, within
from qcode.tui.frames import Frames, Ways
from qcode.tui.layout import ROWS, Place, placed
from qcode.tui.paint import Brush, Paint
from qcode.tui.picture import Counts, Picture
from qcode.tui.seeking import Seeker
from qcode.tui.sheet import Draw, Sheet
from qcode.tui.window import Window

WHEEL_ROWS = 3


class TranscriptView(Draggable, can_focus=True):
    """Blocks by their index. All methods return at once; the screen follows with the next frame."""

    FOCUS_ON_CLICK: ClassVar[bool] = False  # a click on the text leaves the keys with the prompt
    DEFAULT_CSS = "TranscriptView { height: 1fr; width: 1fr; }"

    class Followed(Message):
        """The last row is kept in sight from now on, or no longer."""

        def __init__(self, follows: bool) -> None:  # noqa: FBT001  a message has one thing to say
            super().__init__()
            self.follows = follows

    class Focused(Message):
        """A block has the focus; None = none has."""

        def __init__(self, index: int | None) -> None:
            super().__init__()
            self.index = index

    class LinkClicked(Message):
        """A person wants to go there."""

        def __init__(self, link: str) -> None:
            super().__init__()
            self.link = link

    class Found(Message):
        """How often the words occur that are sought: in what was looked at, or in all of it."""

        def __init__(self, count: int, of: Literal["so far", "all"]) -> None:
            super().__init__()
            self.count = count
            self.of = of

    def __init__(
        self,
        draw: Draw,
        paint: Paint,
        *,
        ways: Ways = "glass",
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.sheet = Sheet(draw)
        self.window = Window(self.sheet)
        self.picture = Picture(self.window)
        self._paint = paint
        self._seeker = Seeker(self, self.window, self._tell_found, self._change)
        self._frames = Frames(self, self.picture, self._look, self._seen, ways)
        self.drag = Drag(self, self.picture, self._roll_now)
        self._followed = True

    # -- the conversation --

    def put(self, index: int, block: Block) -> None:
        """Block `index` is this from now on; the one behind the last is added."""
        self.sheet.put(index, block)
        self._change()

    def cut(self, count: int) -> None:
        """Only the first `count` are left."""
        self.sheet.cut(count)
        if self.picture.focused is not None and self.picture.focused >= count:
            self.focus_block(None)
        self._change()

    def replay(self, blocks: Iterable[Block]) -> None:
        """These instead of all, seen from their end."""
        self.sheet.cut(0)
        self.sheet.blocks.extend(blocks)
        self.window.follows = True
        self.focus_block(None)

    def tick(self) -> None:
        """Time has passed: what still runs is drawn again, if it is in sight."""
        if unfinished := self.sheet.unfinished():
            for index in unfinished:
                self.sheet.forget(index)
            self._change()

    def toggle(self, index: int) -> None:
        """Open that block, or close it."""
        self.sheet.toggle(index)
        self._change()

    def toggle_all(self, kind: type[Block]) -> None:
        """All blocks of a kind, those to come too."""
        self.sheet.toggle_all(kind)
        self._change()

    def repaint(self, paint: Paint) -> None:
        """With another palette."""
        self._paint = paint
        self._change()

    # -- where one looks --

    @property
    def counts(self) -> Counts:
        """What all of it cost so far."""
        return self.picture.counts

    @property
    def follows(self) -> bool:
        """Whether the last row is kept in sight."""
        return self.window.follows

    def roll(self, rows: int) -> None:
        """So many rows down; negative: up. At the end it follows again."""
        self.window.roll(rows)
        self._change()

    def roll_pages(self, pages: float) -> None:
        """So many screens down; negative: up. A row of the old one stays in sight."""
        self.roll(int(pages * max(self.window.page - 1, 1)))

    def roll_top(self) -> None:
        """To the first row."""
        self.window.show(Place(0, 0))
        self._change()

    def roll_end(self) -> None:
        """To the last row, and follow."""
        self.window.follow()
        self._change()

    def focus_block(self, index: int | None) -> None:
        """Give a block the focus and bring it into sight; None = take it away."""
        self.picture.focused = index
        if index is not None:
            self.window.reveal(Place(index, max(self.sheet.height(index) - 1, 0)))
            self.window.reveal(Place(index, self.sheet.gap(index)))
        self.post_message(self.Focused(index))
        self._change()

    def next_block(self, by: int = 1) -> None:
        """Focus to the block below, or with -1 above; the first time to the last one in sight."""
        seen = [one.row.place.block for one in self.picture.shown if one.row.place]
        if seen and self.picture.focused is None:
            self.focus_block(seen[-1])
        elif self.picture.focused is not None:
            self.focus_block(min(max(self.picture.focused + by, 0), len(self.sheet) - 1))

    def open_focused(self) -> None:
        """Open the block with the focus, or close it."""
        if self.picture.focused is not None:
            self.toggle(self.picture.focused)

    def find(self, words: str) -> None:
        """Highlight them; none any more: no words. `Found` says how often they occur."""
        self._seeker.find(words)
        self.picture.finding = self._seeker.finding
        self._change()

    def next_match(self, by: int = 1) -> None:
        """To the occurrence below, or with -1 above, round the ends, folded text included."""
        self._seeker.step(by)

    # -- what Textual asks and tells --

    def render_line(self, y: int) -> Strip:
        """A row with the offsets that a selection is made of."""
        self._refit()
        if y >= len(self.picture.shown):
            return Strip.blank(self.size.width)
        row, _, painted = self.picture.shown[y]
        return painted.strip.apply_offsets(0, row.place.number) if row.place else painted.strip

    def render_lines(self, crop: Region) -> list[Strip]:
        """Rows for the screen. Without Textual's cache of them: they are kept here."""
        self._refit()
        rows = [one.painted.strip for one in self.picture.shown[crop.y : crop.bottom]]
        if crop.column_span == (0, self.size.width):
            return rows
        return [row.crop(*crop.column_span) for row in rows]

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text under it, as the model wrote it."""
        last = len(self.sheet) - 1
        if last < 0:
            return None
        start = selection.start or Offset(0, 0)
        end = selection.end or Offset(ROWS, Place(last, ROWS - 1).number)
        text = between(self.sheet, (placed(start.y), start.x), (placed(end.y), end.x))
        return text, "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Shown with the next frame. One that was begun outside takes only what is seen."""
        if selection and (selection.start is None) != (selection.end is None):
            self.screen.selections = {
                **self.screen.selections,
                self: within(selection, self.picture),
            }
            return
        self._change()

    def notify_style_update(self) -> None:
        """Its colours may be others."""
        super().notify_style_update()
        if self.is_mounted:
            self._change()

    def on_resize(self) -> None:
        """Rows are of another width, or there are more of them."""
        self._change()

    def on_unmount(self) -> None:
        """No frame any more."""
        self._frames.stop()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three rows."""
        event.stop()
        self.roll(WHEEL_ROWS)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three rows."""
        event.stop()
        self.roll(-WHEEL_ROWS)

    def on_click(self, event: events.Click) -> None:
        """To a link; the head of a card or of reasoning opens it, a double click any block."""
        event.prevent_default()  # else a double click would select the whole conversation
        row = self.picture.shown[event.y].row if event.y < len(self.picture.shown) else None
        if row is None or row.place is None:
            if row is not None and row.line.spans:
                self.roll_end()
            return
        if event.chain == 1 and (link := row.line.link_at(event.x)):
            self.post_message(self.LinkClicked(link))
        elif (event.chain == 1) == self._is_head(row.place) and event.chain < 3:
            self.toggle(row.place.block)

    def _is_head(self, place: Place) -> bool:
        head = self.sheet.gap(place.block) == place.row
        return head and isinstance(self.sheet.blocks[place.block], CallBlock | ReasoningBlock)

    # -- frames --

    @property
    def waits(self) -> bool:
        """Something is to be seen that is not yet."""
        return self._frames.waits or self._seeker.seeks

    def _tell_found(self, count: int, of: Literal["so far", "all"]) -> None:
        self.post_message(self.Found(count, of))

    def _change(self) -> None:
        self._frames.ask()

    def _seen(self) -> None:
        if self._followed != self.follows:
            self._followed = self.follows
            self.post_message(self.Followed(self.follows))

    def _look(self) -> Brush:
        """What is seen is painted in the size and the colours of now."""
        filters = tuple(self.get_line_filters())
        base, background = self.visual_style.rich_style, self.background_colors[1]
        brush = Brush(self._paint, base, filters, background, self.size.width)
        return self.picture.look(brush, self.size.height, self.text_selection)

    def _roll_now(self, rows: int) -> None:
        self.roll(rows)
        self._look()

    def _refit(self) -> None:
        if not self.picture.fits(self.size, self.visual_style.rich_style):
            self._look()
