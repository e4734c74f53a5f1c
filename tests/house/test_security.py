"""docs/security.md shows what the tests found. Renew its tables: python -m tests.redteam.docs"""

import sys
from pathlib import Path

import pytest

from qcode.permission import modes
from qcode.sandbox.promises import PROMISES
from tests.redteam import docs
from tests.redteam.corpus import CASES, CLASSES
from tests.redteam.ids import IDS
from tests.redteam.proof import counted

TEXT = docs.PAGE.read_text(encoding="utf-8")


def cells(mark: str) -> list[list[str]]:
    rows = docs.standing(TEXT, mark).strip().splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_table_of_modes_is_the_one_that_decides() -> None:
    assert docs.standing(TEXT, "modes") == modes.table()


def test_every_promise_of_a_fence_is_in_its_table_with_what_came_of_it() -> None:
    head, _, *rows = cells("fences")
    assert [row[0] for row in rows] == list(PROMISES.values())
    assert all(len(row) == len(head) for row in rows)
    verdicts = {verdict for row in rows for verdict in row[1:]}
    assert verdicts <= {"held", "detected", "not held", "not tried"}


def test_every_case_is_counted_and_all_of_them_held() -> None:
    _, _, *rows = cells("redteam")
    classes = {**CLASSES, "all": CASES}
    for name, row in zip(classes, rows, strict=True):
        ids, tried = len({case.id for case in classes[name]}), len(classes[name])
        known = [name, str(ids), str(tried), str(counted(classes[name]))]
        assert row == [*known, str(tried), str(tried), str(tried), "0"]
    assert rows[-1][1] == str(len(IDS))


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of Unix")
def test_the_false_alarms_are_those_of_today() -> None:
    assert docs.standing(TEXT, "alarms") == docs.alarms()


def test_the_files_that_it_names_are_there() -> None:
    for name in ("qcode/sandbox/names.py", "tests/redteam/ids.py", "Makefile"):
        assert (Path(docs.PAGE).parents[1] / name).exists()
