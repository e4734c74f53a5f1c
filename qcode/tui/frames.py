"""When the conversation is shown anew, and which way its rows take to the terminal."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Literal

from textual.geometry import Region
from textual.widget import Widget

from qcode.tui.glass import Glass, way
from qcode.tui.paint import Brush
from qcode.tui.picture import Picture, Shown, shift

FRAME_SECONDS = 1 / 30

Ways = Literal["glass", "textual"]


class Frames:
    """Of a widget whose rows are those of a picture. `look` paints them; `done` is called behind
    each frame."""

    def __init__(
        self,
        widget: Widget,
        picture: Picture,
        look: Callable[[], Brush],
        done: Callable[[], None],
        ways: Ways,
    ) -> None:
        self._widget = widget
        self._picture = picture
        self._look = look
        self._done = done
        self._ways = ways
        self._glass = Glass()
        self._handed: list[Shown] = []
        self._due: asyncio.TimerHandle | None = None
        self._last_seconds = 0.0

    @property
    def waits(self) -> bool:
        """A frame is due."""
        return self._due is not None

    def ask(self) -> None:
        """Something is to be seen that was not; one frame for all that comes until it is due."""
        if self._due is None and self._widget.is_attached:
            wait = max(self._last_seconds + FRAME_SECONDS - time.monotonic(), 0)
            loop = asyncio.get_running_loop()
            self._due = loop.call_later(wait, self._widget.call_later, self._frame)

    def stop(self) -> None:
        """None any more."""
        if self._due:
            self._due.cancel()

    def _frame(self) -> None:
        self._due = None
        if not self._widget.is_attached or not self._widget.size:
            return
        to = way(self._widget) if self._ways == "glass" else None
        self._last_seconds = time.monotonic()
        if to and to.busy:
            self.ask()
            return
        brush = self._look()
        before, self._handed = self._handed, list(self._picture.shown)
        if to is None:
            self._glass.forget()
            self._ask_textual(before)
        else:
            self._glass.fit(self._widget.region)
            rows = [one.painted for one in self._handed]
            if text := self._glass.change(rows, self._shift(before), brush, to):
                to.driver.write(text)
        self._done()

    def _ask_textual(self, before: Sequence[Shown]) -> None:
        if len(before) != len(self._handed):
            self._widget.refresh()
            return
        pairs = enumerate(zip(before, self._handed, strict=True))
        changed = [y for y, (old, new) in pairs if old.painted is not new.painted]
        if changed:
            width = self._widget.size.width
            self._widget.refresh(*(Region(0, y, width, 1) for y in changed))

    def _shift(self, before: Sequence[Shown]) -> int:
        """How much higher than before the rows stand that were seen already, where the terminal may
        scroll them: it scrolls whole rows."""
        whole = self._widget.size.width == self._widget.app.size.width
        return shift(before, self._handed) if whole and len(before) == len(self._handed) else 0
