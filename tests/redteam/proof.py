"""Every case twice: with its guard, and without it, where it must succeed. `make redteam-proof`

With words such as `paths`: only the classes that begin so.

Only so it is known that the guard is what held, and not an error in the case.
"""

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.redteam.attempts.fenced import fence_name
from tests.redteam.case import Attempt, CannotTell, Case
from tests.redteam.corpus import CASES, CLASSES
from tests.redteam.guards import GUARDS

MOST = 5
"""Cases of one id that count."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of one case."""

    case: Case
    held: bool
    """The attack failed."""
    allowed: bool
    """The twin did not."""
    proven: bool
    """Without the guard the attack succeeded."""
    untried: str = ""
    """Why it could not be tried here; empty = it was."""

    @property
    def good(self) -> bool:
        return self.held and self.allowed and self.proven


def tried(attempt: Attempt) -> bool:
    """In an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        return attempt.succeeds(Path(folder).resolve())


def prove(case: Case) -> Proof:
    """Both ways."""
    try:
        held = not tried(case.attack)
        allowed = tried(case.twin)
        with GUARDS[case.guard]():
            proven = tried(case.attack)
    except CannotTell as error:
        return Proof(case, held=False, allowed=False, proven=False, untried=str(error))
    return Proof(case, held, allowed, proven)


def counted(cases: Sequence[Case]) -> int:
    """At most `MOST` of each id."""
    ids = [case.id for case in cases]
    return sum(min(ids.count(name), MOST) for name in set(ids))


def table(proofs: Mapping[str, Sequence[Proof]]) -> str:
    """Markdown: a row for each class, and one for all."""
    rows = ["| class | ids | cases | that count | held | twins allowed | proven | not tried here |"]
    rows.append("|---|---:|---:|---:|---:|---:|---:|---:|")
    every = [proof for found in proofs.values() for proof in found]
    for name, found in (*proofs.items(), ("all", every)):
        cells = (
            len({proof.case.id for proof in found}),
            len(found),
            counted([proof.case for proof in found]),
            sum(proof.held for proof in found),
            sum(proof.allowed for proof in found),
            sum(proof.proven for proof in found),
            sum(bool(proof.untried) for proof in found),
        )
        rows.append(f"| {name} | " + " | ".join(map(str, cells)) + " |")
    return "\n".join(rows) + "\n"


def main() -> int:
    began = time.monotonic()
    wanted = sys.argv[1:]
    proofs = {
        name: [prove(case) for case in cases]
        for name, cases in CLASSES.items()
        if not wanted or name.split(":")[0].split(",")[0] in wanted
    }
    bad = [proof for found in proofs.values() for proof in found if not proof.good]
    for proof in bad:
        said = proof.untried or ", ".join(
            word
            for word, fine in (
                ("it was not held", proof.held),
                ("its twin was refused", proof.allowed),
                ("not proven", proof.proven),
            )
            if not fine
        )
        sys.stderr.write(f"{proof.case} ({proof.case.guard}): {said}\n")
    sys.stdout.write(table(proofs))
    sys.stdout.write(f"\n{_fence()} {len(CASES)} cases in {time.monotonic() - began:.0f} s.\n")
    return 1 if any(not proof.untried for proof in bad) else 0


def _fence() -> str:
    try:
        return f"The fence was {fence_name()}."
    except CannotTell as error:
        return f"There was no fence: {error}"


if __name__ == "__main__":
    sys.exit(main())
