"""The last row: what goes on, always there."""

import time
from collections.abc import Callable

from msgspec.structs import replace
from textual.timer import Timer

from qcode.tui.footing import footer_line
from qcode.tui.lines import BLANK, Line
from qcode.tui.paint import Paint
from qcode.tui.rates import NO_PACE
from qcode.tui.status import Phase, Status
from qcode.tui.widgets.strip import OneRow

TICK_SECONDS, CLOCK_SECONDS = 0.25, 1.0
"""The second where nothing but the time goes on."""
_ONLY_TIME = ("starting", "loading", "busy", "gone", "asking", "running")


class Footer(OneRow):
    """Shows a `Status`. A new phase or setting shows at once; numbers and time four times a
    second, time alone once a second, and while nothing goes on no timer runs."""

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
        self._every = 0.0
        """Seconds between its ticks; 0 = it does not run."""
        self._shown: Line = BLANK

    def on_mount(self) -> None:
        self._tick_in(self.status.phase)

    def show(self, status: Status) -> None:
        """This is how things stand."""
        at_once = _steady(status) != _steady(self.status)
        self.status = status
        self._tick_in(status.phase)
        if at_once:
            self.refresh()

    @property
    def is_still(self) -> bool:
        """Whether nothing but a new status will draw it again."""
        return self._timer is None

    def drawn(self, width: int) -> Line:
        self._shown = footer_line(self.status, self._clock(), width)
        return self._shown

    def _tick_in(self, phase: Phase) -> None:
        wanted = 0.0
        if phase != "idle" and self.is_attached:
            wanted = CLOCK_SECONDS if phase in _ONLY_TIME else TICK_SECONDS
        if wanted == self._every:
            return
        if self._timer is not None:
            self._timer.stop()
        self._every = wanted
        self._timer = self.set_interval(wanted, self._tick) if wanted else None

    def _tick(self) -> None:
        top = self.app.screen
        if top is not self.screen and not top.is_modal:  # under a review nobody sees it
            return
        if footer_line(self.status, self._clock(), self.size.width) != self._shown:
            self.refresh()


def _steady(status: Status) -> Status:
    """Without what changes all the time."""
    if status.phase == "idle":
        return status
    return replace(
        status,
        pace=NO_PACE,
        thought_tokens=0,
        progress=None,
        prompt_tokens=0,
        weighed=0.0,
        since=0.0,
    )
