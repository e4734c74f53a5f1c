"""Each attack fails."""

from pathlib import Path

from tests.redteam.case import Case
from tests.redteam.trying import EACH, succeeds


@EACH
def test_the_attack_fails(case: Case, tmp_path: Path) -> None:
    assert not succeeds(case.attack, tmp_path)
