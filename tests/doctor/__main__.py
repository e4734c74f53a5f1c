"""Prints what was planted and what was found: `python -m tests.doctor`. Takes a minute or two.

`python -m tests.doctor mechanics` leaves the played servers out.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qcode.doctor.probes.behaviour import BEHAVIOUR
from qcode.doctor.probes.mechanics import MECHANICS
from tests.doctor import mechanics, planted
from tests.doctor.planted_behaviour import KINDS, PLANTED
from tests.doctor.test_probes_behaviour import mind_of
from tests.support.played import PlayedServer


def played(kind: str, *faults: str) -> planted.Start:
    """A server of a recorded kind, with these faults of behaviour."""

    @contextmanager
    def start(folder: Path) -> Iterator[str]:
        with PlayedServer(kind, mind_of(kind, *faults)) as server:
            yield server.base_url

    return start


HEALTHY = tuple(
    planted.Case(f"healthy: {kind}, played", played(kind), (*MECHANICS, *BEHAVIOUR))
    for kind in KINDS
)
BEHAVIOUR_CASES = tuple(
    planted.Case(
        f"{each.kind}: {each.fault.replace('_', ' ')}",
        played(each.kind, each.fault),
        BEHAVIOUR,
        frozenset((each.found,)),
    )
    for each in PLANTED
)


def main(words: Sequence[str]) -> int:
    """All cases, one after another. 1 = something was missed, or found where nothing is."""
    cases: tuple[planted.Case, ...] = mechanics.CASES
    if "mechanics" not in words:
        cases = (*cases, *HEALTHY, *BEHAVIOUR_CASES)
    outcomes = []
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(planted.try_case(case, Path(folder)))
    sys.stdout.write(f"{planted.table(outcomes)}\n")
    return int(any(each.missed or each.false for each in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
