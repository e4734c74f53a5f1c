"""Faults that are planted, and what the doctor finds of them. `python -m tests.doctor` prints it.

A case is a server with one fault, or none, and the findings that must come of it: those and no
others. Weights are no matter here; `healthy` is a case whose findings may be notes alone.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from qcode.doctor.base import Finding, Probe
from qcode.doctor.examination import Examined, examine
from qcode.doctor.meeting import Address, met

SECONDS = 300.0
"""For one examination: what is left out is found by nobody."""

Start = Callable[[Path], AbstractContextManager[str]]
"""A folder of its own -> the base URL of the server, while it runs."""


@dataclass(frozen=True, slots=True)
class Case:
    """One server."""

    name: str
    """What is planted, in words: `no checkpoints`; of a healthy one `healthy: llama.cpp`."""
    start: Start
    probes: Sequence[Probe]
    expected: frozenset[str] = frozenset()
    """Ids of findings; empty = healthy."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case and what was found."""

    case: Case
    findings: tuple[Finding, ...]
    examined: Examined
    seconds: float

    @property
    def found(self) -> frozenset[str]:
        """Ids of what counts: all, but for notes on a healthy server."""
        counted = self.findings if self.case.expected else self._faults
        return frozenset(each.id for each in counted)

    @property
    def _faults(self) -> Sequence[Finding]:
        return [each for each in self.findings if each.weight != "note"]

    @property
    def missed(self) -> frozenset[str]:
        """Planted and not found."""
        return self.case.expected - self.found

    @property
    def false(self) -> frozenset[str]:
        """Found and not planted."""
        return self.found - self.case.expected


def try_case(case: Case, folder: Path) -> Outcome:
    """Start the server, examine it, end it."""
    with case.start(folder) as base_url:
        began = time.monotonic()
        examined = asyncio.run(examined_at(base_url, case.probes))
    findings = tuple(each for result in examined.results for each in result.findings)
    return Outcome(case, findings, examined, time.monotonic() - began)


async def examined_at(base_url: str, probes: Sequence[Probe]) -> Examined:
    """The server at an address, examined."""
    async with met(Address(base_url)) as subject:
        return await examine(subject, probes, SECONDS)


def table(outcomes: Iterable[Outcome]) -> str:
    """Planted against found, as Markdown, and the sums below it."""
    rows = list(outcomes)
    lines = ["| planted | expected | found | seconds |", "|---|---|---|---|"]
    for each in rows:
        expected, found = _words(each.case.expected), _words(each.found)
        mark = "" if not (each.missed or each.false) else " **!**"
        lines.append(f"| {each.case.name} | {expected} | {found}{mark} | {each.seconds:.1f} |")
    planted = sum(len(each.case.expected) for each in rows)
    missed = sum(len(each.missed) for each in rows)
    false = sum(len(each.false) for each in rows)
    healthy = sum(not each.case.expected for each in rows)
    lines.append("")
    lines.append(
        f"{planted - missed} of {planted} planted faults found; {false} false findings, "
        f"{healthy} of {len(rows)} servers healthy."
    )
    return "\n".join(lines)


def _words(ids: frozenset[str]) -> str:
    return ", ".join(sorted(ids)) or "none"
