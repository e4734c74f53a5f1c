"""What the processes behind a server load: the keeper stays for hours, the engine is waited for.

Their own command lines are run, without a task: they end, and what they imported is told.
"""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.serve import boot
from qcode.serve.card import pause

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there it runs inside WSL")


def imported(name: str) -> frozenset[str]:
    """Names of the modules that a process of ours loads before it is told anything."""
    python, *rest = boot.words(name)
    line = (python, "-X", "importtime", *rest)
    told = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, check=False).stderr
    rows = (row for row in told.decode().splitlines() if row.startswith("import time:"))
    return frozenset(row.rpartition("|")[2].strip() for row in rows)


def of_qcode(names: frozenset[str]) -> set[str]:
    """Rooms of ours, `serve` apart."""
    rooms = {".".join(name.split(".")[:2]) for name in names if name.startswith("qcode.")}
    return rooms - {"qcode.serve"}


def test_the_keeper_loads_nothing_of_a_run() -> None:
    found = imported("keeper")
    assert "qcode.serve.keeper" in found, "the list of modules was not read"
    assert of_qcode(found) == set()
    planning = {"gguf", "plan", "hardware", "fields", "native", "shared", "hubfiles"}
    assert found & {f"qcode.serve.{name}" for name in planning} == set()
    heavy = {"inspect", "hashlib", "json", "http.client", "asyncio", "xllamacpp"}
    assert found & heavy == set()


def test_the_engines_process_loads_its_flags_and_no_more() -> None:
    found = imported("native")
    assert {name for name in found if name.startswith("qcode.serve.")} == {
        "qcode.serve.native",
        "qcode.serve.fields",
        "qcode.serve.order",
    }
    assert of_qcode(found) == set()
    assert "msgspec" not in found


def looks(seconds: float) -> int:
    """How often is asked for a model that loads for so long."""
    passed, count = 0.0, 0
    while passed < seconds:
        passed += pause(passed)
        count += 1
    return count


def test_a_small_model_is_asked_for_at_once_and_a_large_one_seldom() -> None:
    assert looks(0.1) >= 15
    assert looks(1.0) <= 80
    assert looks(600.0) <= 6_200


@given(st.floats(0, 1e6))
def test_a_pause_is_never_none_and_never_long(waited: float) -> None:
    assert 0.005 <= pause(waited) <= 0.1
