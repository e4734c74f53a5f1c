"""A disk that is full, a home that may not be written, clocks that jump."""

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qcode.protocol.events import Renamed
from qcode.session.conversation import fold
from qcode.session.store import Store
from tests.e2e.rig import DONE, YOLO, Cli, calling, logs, obey_permissions, results, words
from tests.faults.bounded import bounded, within
from tests.faults.strays import left
from tests.session.histories import one_turn, started
from tests.support.script import Answer, Pace, Reply
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]
Always = Callable[[Answer], ScriptedServer]


def test_edits_where_checkpoints_have_no_room_are_told_and_made(
    cli: Cli, serve: Serve, small_disk: Path, home: Path
) -> None:
    """The state is on a disk of 64 KiB, the sessions are not."""
    (home / "qcode").mkdir()
    (home / "qcode" / "state").symlink_to(small_disk)
    (small_disk / "full").write_bytes(bytes(64 * 1024))
    (cli.folder / "a.txt").write_text("one\n")
    serve(
        calling("edit", path="a.txt", old_string="one", new_string="two"),
        *(calling("shell", command="rm a.txt"), DONE),
    )
    ran = bounded(cli, *YOLO)
    assert ran.code == 0, ran.err
    assert "Files cannot be kept" in ran.err
    assert not (cli.folder / "a.txt").exists()


def test_a_way_back_without_room_changes_nothing(
    cli: Cli, serve: Serve, small_disk: Path, home: Path
) -> None:
    cli.folder = small_disk / "project"
    cli.folder.mkdir()
    text = words(3000)  # 15 KB
    (cli.folder / "a.txt").write_text(text)
    serve(calling("shell", command="rm a.txt"), DONE)
    assert bounded(cli, *YOLO).code == 0
    (small_disk / "full").write_bytes(bytes(60 * 1024))
    ran = within(cli, cli.line("sessions", "rewind", "--to", "0")[:-2])
    assert ran.code == 1, ran
    assert "a.txt (No space left on device)" in ran.err
    assert [path.name for path in cli.folder.iterdir()] == []
    (small_disk / "full").unlink()
    again = within(cli, cli.line("sessions", "rewind", "--to", "0")[:-2])
    assert again.code == 0, again
    assert (cli.folder / "a.txt").read_text() == text


def test_a_full_disk_under_all_of_it_says_so_and_costs_no_file(
    cli: Cli, always: Always, small_disk: Path, home: Path
) -> None:
    cli.folder = small_disk / "project"
    cli.folder.mkdir()
    (cli.folder / "a.txt").write_text("one\n")
    cli.environ["QCODE_HOME"] = str(small_disk / "qcode")
    always(calling("write", path="big.txt", content=words(20_000)))
    ran = bounded(cli, *YOLO, "--max-turns", "3")
    assert ran.code in (1, 53), ran
    assert not (cli.folder / "big.txt").exists()
    assert (cli.folder / "a.txt").read_text() == "one\n"
    assert not list(cli.folder.glob(".qcode-*"))


def test_a_home_that_may_not_be_written_is_a_sentence(cli: Cli, serve: Serve, home: Path) -> None:
    home.chmod(0o555)
    try:
        ran = cli.ask(*YOLO, before=obey_permissions)
        assert ran.code != 0
        assert "QCODE_HOME" in ran.err or "--no-session" in ran.err
        server = serve(calling("write", path="a.txt", content="made"), DONE)
        ran = cli.ask(*YOLO, "--no-session", before=obey_permissions)
        assert ran.code == 0, ran.err
        assert len(results(server.requests[-1].body)) == 1
    finally:
        home.chmod(0o755)
    assert (cli.folder / "a.txt").read_text() == "made"
    assert not list(home.iterdir())


@pytest.mark.parametrize("days", [-3650, -1, 1, 3650])
def test_a_session_outlives_a_clock_that_jumps(tmp_path: Path, days: int) -> None:
    """Events are in the order of the log, whatever their times say."""
    moments = iter(datetime(2026, 11, 21, tzinfo=UTC) + timedelta(days=days * n) for n in range(9))

    def clock() -> datetime:
        try:
            return next(moments)
        except (StopIteration, OverflowError):
            return datetime(2026, 11, 21, tzinfo=UTC)

    store = Store(tmp_path, clock)
    with store.create(tmp_path) as log:
        log.append(started(log.session_id, str(tmp_path)))
        for event in (*one_turn(1, "One."), *one_turn(2, "Two.")):
            log.append(event)
    with store.resume(log.session_id).log as again:
        again.append(Renamed("later"))
    talk = fold(store.open(log.session_id).events)
    assert (talk.live_turns, talk.name) == ((1, 2), "later")
    assert [one.id for one in store.list(tmp_path)] == [log.session_id]
    assert store.latest(tmp_path) == log.session_id


def test_a_run_that_was_stopped_for_a_while_goes_on(cli: Cli, serve: Serve) -> None:
    """As a laptop that slept: by its own clock, seconds are gone at once."""
    serve(
        Reply(text="x " * 200, pace=Pace(delta_seconds=0.01, characters=2), calls=DONE.calls),
    )
    running = cli.start(*YOLO)
    while not logs(Path(os.environ["HOME"])):
        time.sleep(0.01)
    running.signal(signal.SIGSTOP)
    time.sleep(3)
    running.signal(signal.SIGCONT)
    ran = running.end()
    assert ran.code == 0, ran.err
    assert ran.out.split() == ["x"] * 200
    assert not left(cli.folder)
