"""The text itself: Textual's `TextArea` with our keys, and with tokens that are deleted whole."""

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.document._document import Location
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.style import Style
from textual.widgets import TextArea
from textual.widgets.text_area import Selection

from qcode.tui.prompt.keys import EDITING
from qcode.tui.prompt.writing import TOKEN


class Field(TextArea, inherit_bindings=False):
    """What is typed. Keys go first to `taken`, which says whether it was for them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(row.key, row.what, row.help, show=False) for row in EDITING
    ]
    DEFAULT_CSS = """
    Field {
        width: 1fr;
        height: auto;
        max-height: 33.34vh;
        min-height: 1;
        border: none;
        padding: 0;
        background: transparent;
        scrollbar-size-vertical: 1;
        &:focus { border: none; }
        & .text-area--cursor-line { background: transparent; }
    }
    """

    def __init__(self, taken: Callable[[events.Key], bool], pasted: Callable[[str], None]) -> None:
        super().__init__(highlight_cursor_line=False, compact=True)
        self.cursor_blink = False  # a timer of its own, and no peer's cursor blinks while idle
        self.match_cursor_bracket = False  # it would look through a long text at every key
        self._taken = taken
        self._pasted = pasted
        self._look: tuple[object, object, Style] | None = None
        """Theme, style of the cursor and own style that the theme was filled with."""

    async def _on_key(self, event: events.Key) -> None:
        printable = event.is_printable and event.key != "enter"
        if self._taken(event) or (not printable and await self._did(event.key)):
            event.stop()
            event.prevent_default()
        elif event.key == "enter":
            event.prevent_default()

    async def _did(self, key: str) -> bool:
        """Do what the key is bound to, up to the screen. Textual would do so only once the event
        has risen to the app; keys that came with it in one read would overtake it."""
        for node in self.ancestors_with_self:
            if isinstance(node, Screen):
                return False
            for binding in node._bindings.key_to_bindings.get(key, ()):
                if await self.app.run_action(binding.action, node):
                    return True
        return False

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self._pasted(event.text)

    # -- where the cursor is, as a number of characters

    @property
    def cursor(self) -> int:
        """Characters before the cursor."""
        return self.characters(self.cursor_location)

    def characters(self, location: Location) -> int:
        """Characters before a row and column."""
        row, column = location
        return sum(len(line) + 1 for line in self.document.lines[:row]) + column

    def location(self, offset: int) -> Location:
        """Row and column of a number of characters."""
        for row, line in enumerate(self.document.lines):
            if offset <= len(line):
                return row, max(0, offset)
            offset -= len(line) + 1
        return self.document.end

    def put(self, text: str, start: int, end: int) -> None:
        """Replace a passage, the cursor behind it; it can be undone."""
        result = self.replace(
            text, self.location(start), self.location(end), maintain_selection_offset=False
        )
        self.move_cursor(result.end_location)

    def show(
        self, text: str, cursor: int | None = None, selected: tuple[int, int] | None = None
    ) -> None:
        """Another text, the cursor at its end unless said; it can be undone. `selected`: from
        where to where, the cursor at the second."""
        if text != self.text:
            self.put(text, 0, len(self.text))
        if selected is not None:
            start, end = selected
            self.selection = Selection(self.location(start), self.location(end))
            return
        self.move_cursor(self.location(len(text) if cursor is None else cursor))

    # -- what Textual does otherwise

    def render_lines(self, crop: Region) -> list[Strip]:
        """Textual fills the theme from the style sheet for each of them, a fifth of what a key
        costs; here only when one of these is another: each new sheet makes new component styles."""
        look = (self._theme, self._component_styles.get("text-area--cursor"), self.visual_style)
        if self._look is None or not _same(look, self._look):
            self._look = look
            return super().render_lines(crop)
        return super(TextArea, self).render_lines(crop)

    def action_cursor_up(self, select: bool = False) -> None:  # noqa: FBT001, FBT002 - Textual's signature
        """On the first row, somebody else's: an earlier prompt."""
        if not select and self._cursor_offset[1] == 0:
            raise SkipAction
        super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:  # noqa: FBT001, FBT002 - Textual's signature
        """On the last row, somebody else's: a later prompt."""
        if not select and self._cursor_offset[1] >= self.wrapped_document.height - 1:
            raise SkipAction
        super().action_cursor_down(select)

    def action_cursor_text_start(self) -> None:
        """To the first character."""
        self.move_cursor((0, 0))

    def action_cursor_text_end(self) -> None:
        """Behind the last character."""
        self.move_cursor(self.document.end)

    def action_delete_left(self) -> None:
        """A token at the cursor goes whole."""
        if not self._delete_token(at_end=True):
            super().action_delete_left()

    def action_delete_right(self) -> None:
        """A token at the cursor goes whole."""
        if not self._delete_token(at_end=False):
            super().action_delete_right()

    def action_delete_right_or_leave(self) -> None:
        """With nothing to delete it is the screen's key."""
        if not self.text:
            raise SkipAction
        self.action_delete_right()

    def _delete_token(self, *, at_end: bool) -> bool:
        if not self.selection.is_empty:
            return False
        row, column = self.cursor_location
        for token in TOKEN.finditer(self.document[row]):
            if column == (token.end() if at_end else token.start()):
                self.delete(
                    (row, token.start()), (row, token.end()), maintain_selection_offset=False
                )
                return True
        return False


def _same(one: tuple[object, object, Style], other: tuple[object, object, Style]) -> bool:
    return one[0] is other[0] and one[1] is other[1] and one[2] == other[2]
