"""The tables of docs/security.md. Renew them: python -m tests.redteam.docs"""

import os
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from qcode.permission import modes
from qcode.sandbox.choose import candidates
from qcode.sandbox.table import markdown
from qcode.sandbox.trial import trial
from tests.redteam import everyday, proof
from tests.redteam.corpus import CLASSES
from tests.sandbox.fences import outside_tmp

PAGE = Path(__file__).parents[2] / "docs/security.md"


def fences() -> str:
    """Each fence that this machine may have, tried."""
    with outside_tmp() as base:
        return markdown({name: trial(made, base) for name, made in candidates(os.environ)})


def alarms() -> str:
    """Of everyday commands, how many ask."""
    with tempfile.TemporaryDirectory() as folder:
        everyday.project(Path(folder))
        return everyday.table(list(everyday.tried(Path(folder))))


def proofs() -> str:
    """Every case, both ways."""
    found = {name: [proof.prove(case) for case in cases] for name, cases in CLASSES.items()}
    return proof.table(found)


def blocks() -> Mapping[str, str]:
    """Mark -> what stands there."""
    return {"modes": modes.table(), "fences": fences(), "redteam": proofs(), "alarms": alarms()}


def standing(text: str, mark: str) -> str:
    """What stands between the marks."""
    found = re.search(rf"<!-- {mark} -->\n(.*?)<!-- /{mark} -->", text, re.DOTALL)
    assert found is not None, mark
    return found[1]


def renewed(text: str, made: Mapping[str, str]) -> str:
    """`text` with the parts between the marks made anew."""
    for mark, content in made.items():
        head, _, rest = text.partition(f"<!-- {mark} -->\n")
        _, found, tail = rest.partition(f"<!-- /{mark} -->")
        assert found, mark
        text = f"{head}<!-- {mark} -->\n{content}{found}{tail}"
    return text


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), blocks()), encoding="utf-8")
    sys.stderr.write(f"{PAGE.name} is new.\n")
