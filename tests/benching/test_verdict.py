"""Tests have passed where their runner says so, and not where something ended it early."""

import sys
from pathlib import Path

import pytest

from qcode.bench.process import Ran, run
from qcode.bench.verdict import is_passed, says_so

PASSED = [
    "...                                                   [100%]\n3 passed in 0.01s\n",
    "============== 3 passed, 1 skipped in 0.02s ==============\n",
    "Ran 2 tests in 0.000s\n\nOK\n",
    "Ran 2 tests in 0.000s\n\nOK (skipped=1)\n",
    "test result: ok. 4 passed; 0 failed; 0 ignored\n",
    "ok  \texample.com/shop\t0.003s\nok  \texample.com/other\t(cached)\n",
    "Tests:       5 passed, 5 total\n",
    "  12 passing (8ms)\n",
    "# tests 3\n# pass 3\n# fail 0\n",
]


@pytest.mark.parametrize("words", PASSED)
def test_words_of_runners_are_known_on_both_streams(words: str) -> None:
    assert says_so(Ran(0, words, "", 1.0))
    assert says_so(Ran(0, "", words, 1.0))


@pytest.mark.parametrize(
    "words", ["", "NOT OK\n", "no tests ran in 0.00s\n", "# pass 0\n", "0 passed"]
)
def test_other_words_prove_nothing(words: str) -> None:
    assert not says_so(Ran(0, words, "", 1.0))


def test_a_code_of_failure_has_not_passed_whatever_it_says() -> None:
    assert not is_passed(Ran(1, "1 failed, 3 passed", "", 1.0), is_told=True)
    assert not is_passed(Ran(None, "3 passed", "", 1.0), is_told=False)
    assert is_passed(Ran(0, "", "", 1.0), is_told=False)


def test_code_that_ends_the_run_with_0_has_not_passed(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("import os\n\nos._exit(0)\n")
    (tmp_path / "test_shop.py").write_text("import shop\n\n\ndef test_it():\n    assert shop.x\n")
    ran = run((sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"), tmp_path, 60)
    assert ran.code == 0
    assert not is_passed(ran, is_told=True)
