"""The widget that shows a frame; keys and meaning belong to the screen."""

from collections.abc import Callable
from dataclasses import dataclass

from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from qcode.tui.lines import BLANK
from qcode.tui.paint import Paint, filled
from qcode.tui.picker.frame import Frame

Draw = Callable[[int, int], Frame]
"""Width and height -> what is shown."""


class PickerView(Widget, can_focus=True):
    """Draws what it is given, on the Line API: a line is made when it is seen."""

    DEFAULT_CSS = """
    PickerView { width: 100%; height: auto; }
    """

    @dataclass
    class Typed(Message):
        """A key or a paste that may be text."""

        key: str
        character: str | None
        pasted: str = ""

    @dataclass
    class Pointed(Message):
        """A click on a row."""

        at: int

    @dataclass
    class Wheeled(Message):
        """The mouse wheel, over the rows or over the preview."""

        steps: int
        half: str

    def __init__(self, draw: Draw, paint: Paint, types: Callable[[str, str | None], bool]) -> None:
        super().__init__()
        self._draw = draw
        self._paint = paint
        self._types = types
        """Whether a key is typing."""
        self._frame = Frame([])
        self._drawn_for = Size(0, 0)

    def show(self) -> None:
        """What is to be seen has changed."""
        self._drawn_for = Size(0, 0)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the frame, made anew after `show` or another size."""
        if self._drawn_for != self.size:
            self._drawn_for = self.size
            self._frame = self._draw(self.size.width, self.size.height)
        base = self.rich_style + Style(link=None)
        line = self._frame.lines[y] if y < len(self._frame.lines) else BLANK
        return filled(line, self._paint, base, self.size.width)

    def on_key(self, event: events.Key) -> None:
        """Typing stays here; other keys go on to the screen's table."""
        if self._types(event.key, event.character):
            event.stop()
            event.prevent_default()
            self.post_message(self.Typed(event.key, event.character))

    def on_paste(self, event: events.Paste) -> None:
        """Into the search line."""
        event.stop()
        self.post_message(self.Typed("", None, event.text))

    def on_click(self, event: events.Click) -> None:
        """A row that is clicked is chosen."""
        event.stop()
        at = self._frame.rows.get(event.y)
        if at is not None and (not self._frame.split or event.x < self._frame.split):
            self.post_message(self.Pointed(at))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The next row, or the preview."""
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The row before, or the preview."""
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, steps: int) -> None:
        event.stop()
        right = self._frame.split and event.x >= self._frame.split
        self.post_message(self.Wheeled(steps, "preview" if right else "rows"))
