"""Whoever interrupts in the wrong moment is heard a moment later, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qcode.bench.unbroken import unbroken

if sys.platform == "win32":
    pytest.skip("qcode runs inside WSL", allow_module_level=True)

LOOP = """
from qcode.bench.copies import folder
print("ready", flush=True)
while True:
    with folder("copy") as place:
        for number in range(20):
            (place / str(number)).write_text("x")
"""


def test_a_signal_waits_until_it_is_done() -> None:
    done: list[int] = []

    def interrupted() -> None:
        with unbroken():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
            done.append(1)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_within_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="mine"), unbroken():
        raise ValueError("mine")


@pytest.mark.parametrize("number", range(8))
def test_no_copy_is_left_by_an_interruption_at_any_moment(tmp_path: Path, number: int) -> None:
    loop = subprocess.Popen(
        (sys.executable, "-c", LOOP),
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert loop.stdout
    loop.stdout.readline()
    time.sleep(0.02 + number * 0.0013)
    loop.send_signal(signal.SIGINT)
    loop.communicate(timeout=20)
    assert list(tmp_path.iterdir()) == []
