"""Without its guard each attack succeeds, and all that are known are tried."""

import pytest

from tests.redteam.case import Case
from tests.redteam.corpus import CASES
from tests.redteam.guards import GUARDS
from tests.redteam.ids import IDS
from tests.redteam.proof import counted, prove

SAMPLE = [next(case for case in CASES if case.guard == guard) for guard in GUARDS]


@pytest.mark.parametrize("case", SAMPLE, ids=str)
def test_without_its_guard_the_attack_succeeds(case: Case) -> None:
    proof = prove(case)
    if proof.untried:
        pytest.skip(proof.untried)
    assert proof.good, proof


def test_every_known_attack_has_a_case_and_no_case_is_told_twice() -> None:
    told = [str(case) for case in CASES]
    assert {case.id for case in CASES} == set(IDS)
    assert sorted(told) == sorted(set(told))
    assert all(case.guard in GUARDS for case in CASES)


def test_there_are_at_least_two_hundred_with_no_more_than_five_of_an_id() -> None:
    assert counted(CASES) >= 200
