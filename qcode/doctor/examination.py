"""Probes, one after another, within a time. What is known is kept, however it ends."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from qcode.doctor.base import Finding, Probe, Result, Subject
from qcode.server.ask import NoAnswer, NotListening

_log = logging.getLogger(__name__)

SILENT = "server.silent"
"""The finding behind which nothing more can be found."""
USUAL_SECONDS = 60.0
LEAST_SECONDS = 15.0
"""A probe may take so long, however little it estimated."""
OVERRUN = 4.0
"""And so many times its estimate."""

Tell = Callable[[Probe, float], None]
"""Hears which probe begins, and how many seconds have passed."""


def hushed(probe: Probe, elapsed: float) -> None:
    """Tell nobody."""


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A probe that there was no time for."""

    probe: str
    label: str
    seconds: float
    """That it would have taken, as far as one can know."""


class Examined(msgspec.Struct):
    """What came of it."""

    results: list[Result] = msgspec.field(default_factory=list)
    left_out: list[LeftOut] = msgspec.field(default_factory=list)
    absent: dict[str, str] = msgspec.field(default_factory=dict)
    """Probe -> why it cannot be asked here, a clause."""
    interrupted: bool = False
    seconds: float = 0.0


async def examine(
    subject: Subject,
    probes: Sequence[Probe],
    seconds: float = USUAL_SECONDS,
    tell: Tell = hushed,
) -> Examined:
    """Run what fits. A cancellation ends it, and what is known so far is returned."""
    subject.haste = min(1.0, seconds / USUAL_SECONDS)
    course = _Course(subject, seconds, tell)
    try:
        await course.through(probes)
    except asyncio.CancelledError:
        course.found.interrupted = True
        if task := asyncio.current_task():
            task.uncancel()
    course.leave_rest(probes)
    course.found.seconds = course.elapsed
    return course.found


class _Course:
    """One examination."""

    def __init__(self, subject: Subject, seconds: float, tell: Tell) -> None:
        self.found = Examined()
        self._subject = subject
        self._seconds = seconds
        self._tell = tell
        self._began = time.monotonic()
        subject.ends = self._began + seconds

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    async def through(self, probes: Sequence[Probe]) -> None:
        """All that fit, unless the server goes away."""
        for probe in probes:
            try:
                await self._one(probe)
            except Exception as error:  # noqa: BLE001 - it costs its own answer, and no other
                _log.warning("the check %s failed", probe.name, exc_info=True)
                words = f"{type(error).__name__}: {error}"[:200]
                self.found.results.append(_unclear(probe, f"the check itself failed ({words})"))
            if not self.found.results:
                continue
            last = self.found.results[-1]
            if await self._is_gone(last):
                self.found.results[-1] = _crashed(last)
                return
            if any(finding.id == SILENT for finding in last.findings):
                self._forgo(probes)
                return

    def _forgo(self, probes: Sequence[Probe]) -> None:
        """What would only meet the same refusal."""
        done = {*self.found.absent, *(result.probe for result in self.found.results)}
        why = "the server does not answer a plain question"
        self.found.absent |= {each.name: why for each in probes if each.name not in done}

    def leave_rest(self, probes: Sequence[Probe]) -> None:
        """Name what was not come to."""
        done = {*self.found.absent, *(result.probe for result in self.found.results)}
        done |= {left.probe for left in self.found.left_out}
        for probe in probes:
            if probe.name not in done:
                self._leave_out(probe)

    async def _one(self, probe: Probe) -> None:
        if why := probe.absent(self._subject):
            self.found.absent[probe.name] = why
            return
        estimate, left = probe.estimate(self._subject), self._seconds - self.elapsed
        if estimate > left:
            self._leave_out(probe)
            return
        self._tell(probe, self.elapsed)
        limit = min(left, max(LEAST_SECONDS, OVERRUN * estimate))
        self.found.results.append(await self._timed(probe, limit))

    async def _timed(self, probe: Probe, limit: float) -> Result:
        began = time.monotonic()
        try:
            async with asyncio.timeout(limit):
                result = await probe.run(self._subject)
        except TimeoutError:
            result = _unclear(probe, f"no end after {limit:.0f} s: it was stopped")
        return msgspec.structs.replace(result, seconds=round(time.monotonic() - began, 2))

    def _leave_out(self, probe: Probe) -> None:
        """Told with the seconds that it takes where there is time, so that so many suffice."""
        with suppress(Exception):  # one that breaks here has been told of, or will be next time
            if not probe.absent(self._subject):
                usual = msgspec.structs.replace(self._subject, haste=1.0, ends=math.inf)
                seconds = round(probe.estimate(usual), 1)
                left = LeftOut(probe=probe.name, label=probe.label, seconds=seconds)
                self.found.left_out.append(left)

    async def _is_gone(self, last: Result) -> bool:
        """Whether nobody listens any more. Not asked behind a probe that worked."""
        if last.verdict == "works":
            return False
        try:
            await self._subject.asker.get(f"{self._subject.facts.base_url}/models")
        except NotListening:
            return True
        except NoAnswer:
            pass  # it computes
        return False


def _unclear(probe: Probe, said: str) -> Result:
    return Result(probe=probe.name, verdict="unclear", said=said)


def _crashed(last: Result) -> Result:
    finding = Finding(
        id="server.crash",
        weight="broken",
        title=f"The server went away while it was examined ({last.probe}).",
        cost="A session ends where a request like this one is sent.",
        change="Look at the end of the server's own log; "
        f"qcode doctor --only '{last.probe}' asks the same again.",
    )
    return msgspec.structs.replace(last, verdict="fails", findings=(finding,))
