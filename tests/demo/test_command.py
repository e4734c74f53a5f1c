"""`qcode demo` as it is typed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LINE = (sys.executable, "-m", "qcode", "demo")


@pytest.fixture
def environment(home: Path, tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(home), "TMPDIR": str(tmp_path)}


def test_playback_can_be_asked_for_by_name(environment: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        (*LINE, "--playback"),
        env={**environment, "QCODE_BASE_URL": "http://127.0.0.1:1/v1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.index("No model:") < done.stdout.index("-m qcode -p")
    assert done.stdout.index("-m qcode -p") < done.stdout.index("$ git diff")
    assert done.stdout.rstrip().endswith("The bug is fixed: the tests are green.")
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_answers_nothing_is_no_success(environment: dict[str, str]) -> None:
    done = subprocess.run(
        LINE,
        env={**environment, "QCODE_BASE_URL": "http://127.0.0.1:1/v1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "No server answers at http://127.0.0.1:1/v1" in " ".join(done.stderr.split())
    assert done.stdout.rstrip().endswith("qcode demo --playback needs none.")


def test_help_says_which_model_answers(environment: dict[str, str]) -> None:
    done = subprocess.run(
        (*LINE, "--help"), env=environment, capture_output=True, text=True, check=True
    )
    assert "QCODE_BASE_URL" in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that a program can catch")
def test_sigterm_ends_it_and_says_where_the_folder_is(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with subprocess.Popen(
        (*LINE, "--playback"), env=environment, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout
        while "-m qcode -p" not in running.stdout.readline():
            assert running.poll() is None
        time.sleep(0.1)  # into the run: its own output begins later
        running.send_signal(signal.SIGTERM)
        rest = running.stdout.read()
    assert running.returncode == 143
    assert f"The folder is kept: {tmp_path}" in rest
