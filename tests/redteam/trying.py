"""One attempt, of an attack or of its twin."""

from pathlib import Path

import pytest

from tests.redteam.case import Attempt, CannotTell
from tests.redteam.corpus import CASES

EACH = pytest.mark.parametrize("case", CASES, ids=str)


def succeeds(attempt: Attempt, tmp: Path) -> bool:
    """Whether it does; skipped where this machine cannot tell."""
    try:
        return attempt.succeeds(tmp.resolve())
    except CannotTell as error:
        pytest.skip(str(error))
