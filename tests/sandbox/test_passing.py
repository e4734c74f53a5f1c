"""Temporary folders of a qcode that was killed are swept by the next; those of others stay."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qcode.sandbox.passing import pass_away, passing, sweep

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no locks of folders")

HOLDS = """
import sys
from qcode.sandbox.passing import passing
print(passing(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)  # it is read once, and kept
    return tmp_path


def test_the_folder_of_a_killed_process_is_swept_and_that_of_a_living_one_stays(
    place: Path,
) -> None:
    line = [sys.executable, "-c", HOLDS]
    environ = {**os.environ, "TMPDIR": str(place)}
    process = subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
    )
    assert process.stdin
    assert process.stdout
    folder = Path(process.stdout.readline().strip())
    (folder / "deep").mkdir()
    (folder / "deep" / "out.txt").write_text("spilled")
    sweep()
    assert folder.is_dir()
    process.send_signal(signal.SIGKILL)
    process.wait()
    sweep()
    assert not folder.exists()
    process.stdin.close()
    process.stdout.close()


def test_ones_own_stays_until_it_passes_away(place: Path) -> None:
    folder = passing()
    assert folder.stat().st_mode & 0o777 == 0o700
    sweep()
    assert folder.is_dir()
    pass_away(folder)
    assert not list(place.iterdir())


def test_what_may_be_somebody_elses_is_left(place: Path) -> None:
    aim = place / "aim"
    (aim / "inside").mkdir(parents=True)
    link = place / "qcode-run-link"
    link.symlink_to(aim)
    wide = place / "qcode-run-wide"
    wide.mkdir(mode=0o755)
    young = place / "qcode-new-young"
    young.mkdir(mode=0o700)
    old = place / "qcode-new-old"
    old.mkdir(mode=0o700)
    os.utime(old, (1, 1))
    other = place / "qcode-demo-x"
    other.mkdir(mode=0o700)
    sweep()
    assert (aim / "inside").is_dir()
    assert link.is_symlink()
    assert [path.exists() for path in (wide, young, old, other)] == [True, True, False, True]
