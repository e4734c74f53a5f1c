"""The log: nothing that was written is lost, whatever happens to the process or the disk."""

import os
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from qcode.protocol.errors import SessionError, SessionNotSaved
from qcode.protocol.events import LoggedEvent, Renamed, TextDelta
from qcode.session.envelope import encode
from qcode.session.log import Log
from qcode.session.reading import read, read_from
from tests.session.histories import histories, one_turn, started

REPOSITORY = Path(__file__).parents[2]
"""Where a subprocess finds `tests`."""
AT = datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "20261121-0900-3f9a.jsonl"


def written(path: Path, events: list[LoggedEvent]) -> bytes:
    """A log with `events`; returns its bytes."""
    with Log.create(path) as log:
        for event in events:
            log.append(event)
    return path.read_bytes()


def ends(events: list[LoggedEvent]) -> tuple[bytes, list[int]]:
    """The log of `events`, and the offset behind each line, 0 first."""
    lines = [encode(event, n, AT) for n, event in enumerate(events, 1)]
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))
    return b"".join(lines), offsets


def test_events_are_numbered_from_one_and_read_back(path: Path) -> None:
    events = [started(), *one_turn()]
    with Log.create(path) as log:
        assert [log.append(event) for event in events] == list(range(1, len(events) + 1))
    opened = read(path)
    assert opened.events == tuple(events)
    assert [entry.n for entry in opened.entries] == list(range(1, len(events) + 1))
    assert opened.loss == ""


def test_an_event_can_be_read_before_anything_is_flushed(path: Path) -> None:
    with Log.create(path) as log:
        log.append(started())
        assert read(path).events == (started(),)


def test_only_the_owner_may_read_a_log(path: Path) -> None:
    written(path, [started()])
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_session_in_which_nothing_happens_leaves_no_file(path: Path) -> None:
    with Log.create(path) as log:
        log.flush()
    assert list(path.parent.iterdir()) == []


def test_fleeting_events_are_refused(path: Path) -> None:
    with Log.create(path) as log:
        log.append(started())
        with pytest.raises(TypeError):
            log.append(TextDelta("Hi"))  # type: ignore[arg-type]  # the mistake it guards against


def test_a_log_begins_with_session_started(path: Path) -> None:
    with Log.create(path) as log, pytest.raises(ValueError, match="SessionStarted"):
        log.append(Renamed("too early"))


def test_a_closed_log_takes_no_more(path: Path) -> None:
    log = Log.create(path)
    log.append(started())
    log.close()
    log.close()
    with pytest.raises(ValueError, match="closed"):
        log.append(Renamed("late"))


def test_numbers_go_on_when_a_log_is_opened_again(path: Path) -> None:
    written(path, [started(), *one_turn()])
    log, opened = Log.reopen(path)
    with log:
        assert log.append(Renamed("again")) == len(opened.entries) + 1
    assert read(path).events == (*opened.events, Renamed("again"))


@given(histories())
@settings(max_examples=20)
def test_a_log_cut_at_any_byte_gives_its_first_whole_events_and_says_the_loss(
    events: list[LoggedEvent],
) -> None:
    data, offsets = ends(events)
    for cut in range(len(data) + 1):
        opened = read_from(BytesIO(data[:cut]))
        whole = sum(cut >= end - 1 for end in offsets[1:])  # the newline may be missing
        kept = min(offsets[whole], cut)
        assert opened.events == tuple(events[:whole])
        assert (opened.end, opened.lost_bytes) == (kept, cut - kept)
        assert opened.lost_text.encode() == data[kept:cut][:4096] or "\ufffd" in opened.lost_text
        assert bool(opened.loss) == bool(opened.lost_bytes)


@given(histories())
@settings(max_examples=5)
def test_a_log_cut_at_any_place_goes_on_as_a_valid_one(events: list[LoggedEvent]) -> None:
    data, offsets = ends(events)
    near = {cut + shift for cut in offsets[1:] for shift in (-2, -1, 0, 1, 9)}
    for cut in sorted(cut for cut in near if offsets[1] - 1 <= cut <= len(data)):
        with TemporaryDirectory() as folder:
            path = Path(folder, "s.jsonl")
            path.write_bytes(data[:cut])
            log, opened = Log.reopen(path)
            with log:
                log.append(Renamed("after the cut"))
            again = read(path)
            assert again.events == (*opened.events, Renamed("after the cut"))
            assert again.loss == ""
            aside = opened.cut.read_bytes() if opened.cut else b""
            assert aside == data[opened.end : cut]
            assert bool(opened.cut) == bool(aside)


def test_the_loss_is_told_in_a_sentence(path: Path) -> None:
    data = written(path, [started(), Renamed("a rather long name")])
    path.write_bytes(data[:-10])
    log, opened = Log.reopen(path)
    log.close()
    assert opened.cut is not None
    assert opened.loss == (
        f"The log was cut: {opened.lost_bytes} bytes after event 1, part of a Renamed, could not "
        f"be read. They are kept in {opened.cut}."
    )


def test_zeros_after_a_power_cut_are_a_cut_tail(path: Path) -> None:
    data = written(path, [started(), *one_turn()])
    path.write_bytes(data + bytes(4096))
    opened = read(path)
    assert (opened.end, opened.lost_bytes) == (len(data), 4096)


def test_a_damaged_line_in_the_middle_is_left_out_and_named(path: Path) -> None:
    data, offsets = ends([started(), *one_turn(), Renamed("end")])
    start, end = offsets[3], offsets[4]
    path.write_bytes(data[:start] + b"\xff" * (end - start - 1) + b"\n" + data[end:])
    opened = read(path)
    assert len(opened.entries) == len(offsets) - 2
    assert opened.lost_bytes == 0
    assert opened.loss == "Damaged lines of the log are left out: 4."


def test_unknown_events_stay_in_the_log_when_it_goes_on(path: Path) -> None:
    data = written(path, [started()])
    strange = b'{"v":1,"n":2,"at":"x","type":"Dreamt","of":1}\n'
    path.write_bytes(data + strange)
    log, _ = Log.reopen(path)
    with log:
        assert log.append(Renamed("x")) == 3
    assert strange in path.read_bytes()


def test_a_log_that_is_worth_nothing_is_removed_with_its_lock(path: Path) -> None:
    log = Log.create(path)
    log.append(started())
    log.discard()
    log.close()
    assert list(path.parent.iterdir()) == []
    Log.create(path).discard()  # no event came, so there is no file
    assert list(path.parent.iterdir()) == []


def test_what_a_later_qcode_wrote_is_not_thrown_away(path: Path) -> None:
    dreamt = b'{"v":1,"n":2,"at":"x","type":"Dreamt"}\n'
    path.write_bytes(encode(started(), 1, datetime.now(UTC)) + dreamt)
    log, _ = Log.reopen(path)
    log.append(Renamed("a"))
    log.discard()
    assert dreamt in path.read_bytes()


def test_a_log_with_a_turn_is_not_thrown_away(path: Path) -> None:
    written(path, [started(), *one_turn(1)])
    log, _ = Log.reopen(path)
    log.discard()
    assert path.exists()


def test_a_log_of_a_newer_qcode_is_refused_and_left_alone(path: Path) -> None:
    data = written(path, [started()]) + b'{"v":2,"n":2,"at":"x","type":"Renamed","name":"a"}\n{"v'
    path.write_bytes(data)
    with pytest.raises(SessionError, match="newer qcode"):
        Log.reopen(path)
    assert path.read_bytes() == data
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b'{"v":1,"n":1', b"hello\n"])
def test_a_log_without_a_first_line_cannot_be_resumed_and_stays_as_it_is(
    path: Path, data: bytes
) -> None:
    path.write_bytes(data)
    with pytest.raises(SessionError, match="no whole first line"):
        Log.reopen(path)
    assert path.read_bytes() == data
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_does_not_exist_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SessionNotSaved, match="could not be saved"):
        Log.create(tmp_path / "missing" / "s.jsonl")


@pytest.mark.skipif(os.name != "posix", reason="permissions and RLIMIT_FSIZE are POSIX")
@pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_without_write_permission_is_a_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(SessionNotSaved, match="no permission"):
            Log.create(tmp_path / "s.jsonl")
    finally:
        tmp_path.chmod(0o700)


FULL = """
import resource, sys
from pathlib import Path
from qcode.protocol.errors import SessionNotSaved
from qcode.protocol.events import Renamed
from qcode.session.log import Log
from tests.session.histories import started

path = Path(sys.argv[1])
log = Log.create(path)
log.append(started())
size = path.stat().st_size
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))  # the next line fits in part only
for _ in range(2):
    try:
        log.append(Renamed("x" * 100))
    except SessionNotSaved as error:
        print(error)
    assert path.stat().st_size == size, "part of a line was left behind"
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert log.append(Renamed("room again")) == 2
log.close()
"""


@pytest.mark.skipif(os.name != "posix", reason="RLIMIT_FSIZE is POSIX")
def test_a_line_that_fits_only_in_part_is_taken_back_and_the_next_one_is_whole(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("could not be saved") == 2
    assert read(path).events == (started(), Renamed("room again"))
    assert read(path).loss == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's device that is full")
def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    written(path, [started()])
    log, _ = Log.reopen(path)
    full = os.open("/dev/full", os.O_WRONLY)
    for link in Path("/proc/self/fd").iterdir():
        if os.path.realpath(link) == str(path):
            os.dup2(full, int(link.name))  # from here on every write meets a full disk
    os.close(full)
    with pytest.raises(SessionNotSaved, match=r"the disk is full.*--no-session"):
        log.append(Renamed("x"))
    log.close()
    assert read(path).events == (started(),)


WRITER = """
import sys
from pathlib import Path
from qcode.protocol.events import Renamed
from qcode.session.log import Log
from tests.session.histories import started

log = Log.create(Path(sys.argv[1]))
log.append(started())
for number in range(1_000_000):
    n = log.append(Renamed("x" * (number % 5000)))
    print(n, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_a_killed_process_loses_no_event_that_it_appended(path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert writer.stdout is not None
    for _ in range(200):
        writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    told = [int(line) for line in writer.stdout.read().split("\n")[:-1]] or [201]
    writer.wait()
    writer.stdout.close()
    log, opened = Log.reopen(path)
    log.close()
    numbers = [entry.n for entry in opened.entries]
    assert all(after == before + 1 for before, after in pairwise(numbers))
    assert numbers[-1] >= told[-1]
