"""A program is run to its end or to its limit, and leaves nothing running."""

import os
import sys
import time
from pathlib import Path

import pytest

from qcode.bench.copies import tail
from qcode.bench.process import run

if sys.platform == "win32":  # no groups of processes there
    pytest.skip("qcode runs inside WSL", allow_module_level=True)


def is_running(pid: int) -> bool:
    """A zombie that nobody has waited for yet counts as ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def test_code_and_both_outputs_come_back(tmp_path: Path) -> None:
    ran = run(("sh", "-c", "pwd; echo no >&2; exit 3"), tmp_path, 20)
    assert (ran.code, ran.out.strip(), ran.err) == (3, str(tmp_path), "no\n")


def test_what_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    began = time.monotonic()
    ran = run(("sh", "-c", "sleep 300 & echo $!; wait"), tmp_path, 1)
    assert time.monotonic() - began < 20
    assert ran.code is None
    for _ in range(50):
        if not is_running(int(ran.out)):
            return
        time.sleep(0.1)
    pytest.fail("the child of the child runs on")


def test_what_is_left_in_the_background_ends_with_it(tmp_path: Path) -> None:
    ran = run(("sh", "-c", "sleep 300 & echo $!"), tmp_path, 20)
    assert ran.code == 0
    for _ in range(50):
        if not is_running(int(ran.out)):
            return
        time.sleep(0.1)
    pytest.fail("it runs on")


def test_of_a_flood_the_end_is_kept(tmp_path: Path) -> None:
    ran = run(("sh", "-c", "yes | head -c 20000000; echo end"), tmp_path, 60)
    assert ran.out.endswith("y\nend\n")
    assert len(ran.out) == 4 << 20


def test_what_it_printed_steers_no_terminal(tmp_path: Path) -> None:
    ran = run(("printf", r"\033]0;mine\007 4 of 5\n"), tmp_path, 20)
    assert "\x1b" in ran.out
    assert not {"\x1b", "\x07"} & set(tail(ran))


def test_it_gets_no_input_and_does_not_wait_for_any(tmp_path: Path) -> None:
    assert run(("cat",), tmp_path, 20).code == 0
