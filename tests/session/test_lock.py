"""One writer per session; readers need no leave."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qcode.protocol.errors import SessionError
from qcode.protocol.events import Renamed
from qcode.session.lock import Lock, sweep
from qcode.session.log import Log
from qcode.session.reading import read
from tests.session.histories import started

HOLDER = """
import sys
from pathlib import Path
from qcode.session.log import Log

log, _ = Log.reopen(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "20261121-0900-3f9a.jsonl"
    with Log.create(path) as log:
        log.append(started())
    return path


@pytest.fixture
def holder(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the session open."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


def test_a_second_process_is_told_who_has_the_session(
    path: Path, holder: "subprocess.Popen[str]"
) -> None:
    with pytest.raises(SessionError, match=rf"process {holder.pid}.*--fork-session"):
        Log.reopen(path)


def test_a_session_that_is_open_elsewhere_can_be_read(
    path: Path, holder: "subprocess.Popen[str]"
) -> None:
    assert holder.poll() is None
    assert read(path).events == (started(),)


def test_a_killed_holder_gives_the_session_free(
    path: Path, holder: "subprocess.Popen[str]"
) -> None:
    holder.kill()
    holder.wait()
    assert path.with_suffix(".lock").exists()
    log, _ = Log.reopen(path)
    with log:
        log.append(Renamed("mine"))


def test_reading_the_log_in_the_same_process_keeps_the_lock(path: Path) -> None:
    log, _ = Log.reopen(path)
    with log:
        read(path)
        with pytest.raises(SessionError, match=f"process {os.getpid()}"):
            Log.reopen(path)


def test_a_closed_session_can_be_opened_again_and_leaves_no_lock_file(path: Path) -> None:
    for _ in range(3):
        log, _ = Log.reopen(path)
        log.close()
    assert list(path.parent.iterdir()) == [path]


RIVAL = """
import sys
from pathlib import Path
from qcode.protocol.errors import SessionError
from qcode.session.lock import Lock, sweep

counter, log = Path(sys.argv[1]), Path(sys.argv[2])
done = 0
while done < 100:
    try:
        lock = Lock.acquire(log)
    except SessionError:
        continue
    counter.write_text(str(int(counter.read_text()) + 1))
    lock.release()
    done += 1
"""


def test_rivals_never_hold_the_lock_at_once(path: Path, tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    command = [sys.executable, "-c", RIVAL, str(counter), str(path)]
    rivals = [subprocess.Popen(command) for _ in range(3)]
    assert [rival.wait() for rival in rivals] == [0, 0, 0]
    assert counter.read_text() == "300"


def test_releasing_twice_does_no_harm(path: Path) -> None:
    lock = Lock.acquire(path)
    lock.release()
    lock.release()
    Lock.acquire(path).release()


def test_a_lock_of_a_session_that_never_said_anything_is_swept(path: Path) -> None:
    names = ("20261121-0901-0001", "20261121-0901-0002", "20261121-0901-0003")
    dead, young, held = (path.with_name(f"{name}.lock") for name in names)
    for lock in (dead, young):
        lock.write_text("1")
    taken = Lock.acquire(held.with_suffix(".jsonl"))
    for lock in (dead, held):
        os.utime(lock, (1, 1))
    path.with_suffix(".lock").write_text("1")
    os.utime(path.with_suffix(".lock"), (1, 1))
    sweep(path.parent)
    assert not dead.exists()
    assert young.exists()
    assert held.exists()
    assert path.with_suffix(".lock").exists()
    taken.release()
