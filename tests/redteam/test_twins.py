"""What looks like an attack and is none is allowed."""

from pathlib import Path

from tests.redteam.case import Case
from tests.redteam.trying import EACH, succeeds


@EACH
def test_its_benign_twin_is_allowed(case: Case, tmp_path: Path) -> None:
    assert succeeds(case.twin, tmp_path)
