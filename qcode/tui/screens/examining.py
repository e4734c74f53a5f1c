"""`/doctor`: the server under examination, then what was found."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from msgspec.structs import replace
from textual.binding import Binding, BindingType

from qcode.protocol.errors import QcodeError
from qcode.tui.aside import Aside
from qcode.tui.examined_page import Going, going_lines, report_lines
from qcode.tui.paint import Paint
from qcode.tui.screens.page import Page

if TYPE_CHECKING:  # whoever examines brings it
    from qcode.doctor.report import Report

TICK_SECONDS = 0.5


class Ears(msgspec.Struct, frozen=True):
    """For whoever examines; may be called from any thread."""

    said: Callable[[str], None]
    """A sentence that a person should know."""
    checks: Callable[[str], None]
    """What is checked next."""


Look = Callable[[Ears], Coroutine[Any, Any, "Report"]]


class ExaminingScreen(Page):
    """Esc ends the examination and keeps what is known; then it closes the page.

    While it runs nothing else can be asked for: a turn beside it would be slowed down, and would
    spoil what is measured. `found` and `failed` say what came of it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,f3,alt+x", "hold", "not while it runs", show=False),
    ]

    def __init__(
        self, paint: Paint, look: Look, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(paint, "Doctor", lambda width: going_lines(self._going, width))
        self.found: Report | None = None
        self.failed = ""
        self._look = look
        self._going = Going()
        self._clock = clock
        self._began = clock()
        self._aside: Aside[Report] | None = None
        """None = it does not run."""

    def on_mount(self) -> None:
        super().on_mount()
        loop = asyncio.get_running_loop()

        def heard(what: str, text: str) -> None:
            with suppress(RuntimeError):  # the app has ended meanwhile
                loop.call_soon_threadsafe(self._heard, what, text)

        ears = Ears(lambda text: heard("said", text), lambda text: heard("checks", text))
        self._aside = Aside(lambda: self._look(ears))
        self.set_interval(TICK_SECONDS, self._tick)
        self.run_worker(self._examine(self._aside), name="examination")

    async def _examine(self, aside: "Aside[Report]") -> None:
        try:
            self.found = await aside.run()
        except QcodeError as error:
            self.failed = str(error)
        finally:
            self._aside = None
        found = self.found
        if found is not None:
            self.show(lambda width: report_lines(found, width))
        elif self.failed:
            self._going = replace(self._going, checks="", said=(*self._going.said, self.failed))
            self._tick()
        else:  # stopped before anything was known
            self.dismiss(None)

    def _heard(self, what: str, text: str) -> None:
        going = self._going
        if what == "said":
            self._going = replace(going, said=(*going.said, text))
        else:
            done = (*going.done, going.checks) if going.checks else going.done
            self._going = replace(going, checks=text, done=done)
        self._tick()

    def _tick(self) -> None:
        if self._aside is not None or self.failed:
            seconds = self._clock() - self._began
            self._going = replace(self._going, seconds=seconds)
            going = self._going
            self.show(lambda width: going_lines(going, width))

    def action_hold(self) -> None:
        """Nothing: see the class. The page that is left behind it can be closed."""

    def action_close(self) -> None:
        if self._aside is None:
            self.dismiss(None)
            return
        self._going = replace(self._going, is_ending=True)
        self._aside.stop()
        self._tick()
