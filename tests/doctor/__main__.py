"""Prints what was planted and what was found: `python -m tests.doctor`. Takes minutes."""

import sys
import tempfile
from pathlib import Path

from tests.doctor import mechanics, planted


def main() -> int:
    """All cases, one after another. 1 = something was missed, or found where nothing is."""
    outcomes = []
    for case in mechanics.CASES:
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(planted.try_case(case, Path(folder)))
    sys.stdout.write(f"{planted.table(outcomes)}\n")
    return int(any(each.missed or each.false for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())
