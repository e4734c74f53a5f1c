"""The last row: what goes on, always there."""

import time
from collections.abc import Callable
from dataclasses import replace

from textual.timer import Timer

from qcode.tui.footing import footer_line
from qcode.tui.lines import BLANK, Line
from qcode.tui.rates import NO_PACE
from qcode.tui.status import Status
from qcode.tui.widgets.painted import Paint
from qcode.tui.widgets.strip import OneRow

TICK_SECONDS = 0.25


class Footer(OneRow):
    """Shows a `Status`. A new phase or setting shows at once; numbers and time four times a
    second, and while nothing goes on no timer runs."""

    def __init__(
        self,
        paint: Paint,
        clock: Callable[[], float] = time.monotonic,
        *,
        id: str | None = None,
    ) -> None:
        """`clock`: the one that the status was made with."""
        super().__init__(paint, id=id)
        self.status = Status()
        self._clock = clock
        self._timer: Timer | None = None
        self._shown: Line = BLANK

    def on_mount(self) -> None:
        self._tick_while(self.status.phase != "idle")

    def show(self, status: Status) -> None:
        """This is how things stand."""
        at_once = _steady(status) != _steady(self.status)
        self.status = status
        self._tick_while(status.phase != "idle")
        if at_once:
            self.refresh()

    @property
    def is_still(self) -> bool:
        """Whether nothing but a new status will draw it again."""
        return self._timer is None

    def drawn(self, width: int) -> Line:
        self._shown = footer_line(self.status, self._clock(), width)
        return self._shown

    def _tick_while(self, something: bool) -> None:  # noqa: FBT001  the only argument, by its name
        if something and self._timer is None and self.is_attached:
            self._timer = self.set_interval(TICK_SECONDS, self._tick)
        elif not something and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _tick(self) -> None:
        if footer_line(self.status, self._clock(), self.size.width) != self._shown:
            self.refresh()


def _steady(status: Status) -> Status:
    """Without what changes all the time."""
    if status.phase == "idle":
        return status
    return replace(
        status, pace=NO_PACE, thought_tokens=0, progress=None, prompt_tokens=0, since=0.0
    )
