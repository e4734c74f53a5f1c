"""`/stats`: what the session took so far."""

import asyncio
from collections.abc import Sequence

from qcode.protocol.events import AnyEvent
from qcode.tui.lines import Span, line
from qcode.tui.paint import Paint
from qcode.tui.screens.page import Page
from qcode.tui.stats import Stats
from qcode.tui.stats_page import stats_lines

FRESH_SECONDS = 1.0


class StatsScreen(Page):
    """Sums up in a thread; what happens while it is open is added once a second."""

    def __init__(self, paint: Paint, events: Sequence[AnyEvent]) -> None:
        """`events`: all that the session's log has; it may grow."""
        waiting = line(Span(" counting …", "dim"))
        super().__init__(paint, "Statistics", lambda width: (waiting,))
        self._events = events
        self._taken = 0
        self._stats = Stats()

    def on_mount(self) -> None:
        self.run_worker(self._sum_up(), name="statistics")

    async def _sum_up(self) -> None:
        new = tuple(self._events)
        self._taken = len(new)
        await asyncio.to_thread(self._stats.take_all, new)
        self.show(lambda width: stats_lines(self._stats, width))
        self.set_interval(FRESH_SECONDS, self._go_on)

    def _go_on(self) -> None:
        new = tuple(self._events[self._taken :])
        if new:
            self._taken += len(new)
            self._stats.take_all(new)
            self._sheet.redraw()
