"""What an examination came to, as one value: for the screen, for scripts, for a bug tracker."""

import math
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from qcode import __version__
from qcode.doctor.base import Finding, Learned, Measure, Result, Weight
from qcode.doctor.examination import Examined, LeftOut
from qcode.server.base import ServerFacts
from qcode.server.quirks import QUIRKS

WEIGHTS: tuple[Weight, ...] = ("broken", "slow", "note")
"""The heaviest first."""
_ROUND_SECONDS = 30


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Which server was examined. Names of `ServerFacts`."""

    base_url: str
    kind: str
    name: str
    """Of the kind, for people."""
    version: str
    model: str
    context_tokens: int | None
    trained_tokens: int | None
    slots: int | None
    strategy: str
    strategy_why: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """For scripts: fields are only added."""

    qcode: str
    """Its version."""
    date: str
    """ISO 8601, UTC."""
    server: About | None
    """None = none was examined."""
    not_examined: str = ""
    """Why, a clause: `no server`, `the server refuses the key`."""
    checks: tuple[Result, ...] = ()
    own: tuple[Result, ...] = ()
    """Of qcode's own side."""
    findings: tuple[Finding, ...] = ()
    """Of both, the heaviest first."""
    absent: dict[str, str] = {}
    """Check -> why it cannot be asked of this server."""
    left_out: tuple[LeftOut, ...] = ()
    measured: dict[str, Measure] = {}
    """`CHECK.FIGURE` -> what was measured, each with its unit in its name."""
    learned: Learned = Learned()
    seconds: float = 0.0
    interrupted: bool = False
    machine: str = ""
    """System and processor, without a name."""

    @property
    def is_well(self) -> bool:
        """Nothing is broken or slow."""
        return all(finding.weight == "note" for finding in self.findings)

    @property
    def seconds_needed(self) -> int:
        """For `--seconds`, so that nothing is left out."""
        needed = self.seconds + sum(left.seconds for left in self.left_out)
        return math.ceil(1.2 * needed / _ROUND_SECONDS) * _ROUND_SECONDS


def about(facts: ServerFacts) -> About:
    """What a report says of a server."""
    return About(
        base_url=facts.base_url,
        kind=facts.kind,
        name=QUIRKS[facts.kind].name,
        version=facts.version,
        model=facts.model,
        context_tokens=facts.context_tokens,
        trained_tokens=facts.trained_tokens,
        slots=facts.slots,
        strategy=facts.strategy,
        strategy_why=facts.strategy_why,
    )


def of(
    facts: ServerFacts, examined: Examined, own: Sequence[Result], remarks: Iterable[Finding] = ()
) -> Report:
    """What is said of a server that was examined."""
    results = examined.results
    return Report(
        qcode=__version__,
        date=_now(),
        machine=_machine(),
        server=about(facts),
        checks=tuple(results),
        own=tuple(own),
        findings=by_weight([*findings(results), *remarks, *findings(own)]),
        absent=dict(examined.absent),
        left_out=tuple(examined.left_out),
        measured=figures(results),
        learned=together([result.learned for result in results]),
        seconds=round(examined.seconds, 2),
        interrupted=examined.interrupted,
    )


def without_server(own: Sequence[Result], why: str = "no server") -> Report:
    """What is left to say where none answers, or none may be asked."""
    found = by_weight(findings(own))
    return Report(
        qcode=__version__,
        date=_now(),
        machine=_machine(),
        server=None,
        not_examined=why,
        own=tuple(own),
        findings=found,
    )


def told(found: Report) -> Mapping[str, Measure]:
    """The verdict of each check, and what it measured: what two reports are compared by."""
    verdicts: dict[str, Measure] = {one.probe: one.verdict for one in found.checks}
    return {**verdicts, **found.measured}


def beside(before: Report, found: Report) -> dict[str, Any]:
    """This report with an earlier one, and what is otherwise: name -> [before, now]."""
    old, new = told(before), told(found)
    names = dict.fromkeys((*old, *new))
    changes = {name: [old.get(name), new.get(name)] for name in names}
    return {
        **msgspec.to_builtins(found),
        "before": msgspec.to_builtins(before),
        "changes": {name: pair for name, pair in changes.items() if pair[0] != pair[1]},
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"


def findings(results: Iterable[Result]) -> list[Finding]:
    """Of all, in their order. What is unclear finds nothing."""
    return [each for one in results if one.verdict != "unclear" for each in one.findings]


def by_weight(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The heaviest first; of one fault that two probes saw, the first."""
    once: dict[str, Finding] = {}
    for finding in found:
        once.setdefault(finding.id, finding)
    return tuple(sorted(once.values(), key=lambda each: WEIGHTS.index(each.weight)))


def figures(results: Iterable[Result]) -> dict[str, Measure]:
    """All that was measured, under the name of its check."""
    return {
        f"{result.probe}.{name}": value
        for result in results
        for name, value in result.measured.items()
    }


def together(learned: Sequence[Learned]) -> Learned:
    """One of many: who said something first is right, what is ignored adds up."""
    contexts = [one.context_tokens for one in learned if one.context_tokens]
    ignored = dict.fromkeys(name for one in learned for name in one.ignored)
    return Learned(
        strategy=next((one.strategy for one in learned if one.strategy), None),
        budget_holds=_first([one.budget_holds for one in learned]),
        switch_works=_first([one.switch_works for one in learned]),
        ignored=tuple(ignored),
        context_tokens=min(contexts, default=None),
    )


def _first(said: Iterable[bool | None]) -> bool | None:
    return next((one for one in said if one is not None), None)
