"""A search that runs beside the keys: a slice of the conversation at a time, and the loop is free
between them. The newest search wins."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Literal

from textual.widget import Widget
from textual.worker import Worker

from qcode.tui.finding import SLICE, Finding
from qcode.tui.sheet import Sheet
from qcode.tui.window import Window

KEY_SECONDS = 0.08
"""After a letter, before it is counted: the next one may make it another search."""
PAUSE_SECONDS = 0.004
"""Between two slices: a key goes through several turns of the loop."""
TOLD_SLICES = 25
"""The count so far is told after the first slice, and then as often."""

Tell = Callable[[int, Literal["so far", "all"]], object]


def slices(costs: Iterable[int]) -> Iterator[int]:
    """What is done at one go, by its cost; behind each there is a pause."""
    spent = 0
    for cost in costs:
        spent += cost
        if spent >= SLICE:
            yield spent
            spent = 0


class Seeker:
    """In the sheet of one window. `tell` hears how often the words occur, `moved` that there may
    be something else to see."""

    def __init__(
        self, widget: Widget, window: Window, tell: Tell, moved: Callable[[], object]
    ) -> None:
        self.finding: Finding | None = None
        self._widget = widget
        self._window = window
        self._tell = tell
        self._moved = moved
        self._steps: deque[int] = deque()

    @property
    def seeks(self) -> bool:
        """It is on its way to an occurrence."""
        return bool(self._steps)

    @property
    def _sheet(self) -> Sheet:
        return self._window.sheet

    def find(self, words: str) -> None:
        """These from now on; none: no search."""
        self._steps.clear()
        self.finding = Finding(self._sheet, words) if words.split() else None
        self._run(self._count, "find")

    def step(self, by: int) -> None:
        """To the occurrence below, or with -1 above; steps that come meanwhile are made, too."""
        if self.finding is None or not len(self._sheet):
            return
        self._steps.append(by)
        if len(self._steps) == 1:
            self._run(self._seek, "seek")

    def _run(self, work: Callable[[], Coroutine[None, None, None]], group: str) -> None:
        """In place of what runs of that group."""
        _: Worker[None] = self._widget.run_worker(work, group=group, exclusive=True)

    async def _count(self) -> None:
        if (finding := self.finding) is None:
            self._tell(0, "all")
            return
        await asyncio.sleep(KEY_SECONDS)
        for number, _ in enumerate(slices(finding.look())):
            if number % TOLD_SLICES == 0:
                self._tell(finding.count, "so far")
            await asyncio.sleep(PAUSE_SECONDS)
        self._tell(finding.count, "all")

    async def _seek(self) -> None:
        finding = self.finding
        while finding and self._steps and self.finding is finding:
            by = self._steps[0]
            start = len(self._sheet) - 1 if by < 0 else self._window.top.block
            for _ in slices(finding.seek(by, start)):
                await asyncio.sleep(PAUSE_SECONDS)
                if self.finding is not finding:
                    return
            if finding.place:
                self._window.reveal(finding.place)
            self._moved()
            self._steps.popleft()
