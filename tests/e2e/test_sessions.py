"""Sessions from the command line: continued, resumed, forked, cut, broken, not kept."""

from collections.abc import Callable
from pathlib import Path

from tests.e2e.rig import DONE, Cli, logs
from tests.support.script import Reply
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]


def test_continue_sends_what_was_said_before(cli: Cli, serve: Serve) -> None:
    server = serve(Reply(text="one"), Reply(text="two"))
    cli.run("-p", "first")
    assert cli.run("-p", "second", "--continue").out == "two\n"
    first, second = (request.messages for request in server.requests)
    assert second[: len(first)] == first
    assert second[-1] == {"role": "user", "content": "second"}


def test_resume_takes_part_of_an_id_and_fork_leaves_the_parent(
    cli: Cli, serve: Serve, home: Path
) -> None:
    serve(Reply(text="one"), Reply(text="two"), Reply(text="three"))
    found = cli.ask("--output-format", "json").json["session_id"]
    [log] = logs(home)
    before = log.read_bytes()
    assert cli.ask("--resume", found[-4:], "--fork-session").out == "two\n"
    assert log.read_bytes() == before
    assert len(logs(home)) == 2
    assert cli.ask("--resume", found).out == "three\n"
    assert log.read_bytes().startswith(before)
    assert len(logs(home)) == 2


def test_no_session_leaves_no_file(cli: Cli, serve: Serve, home: Path) -> None:
    serve(DONE)
    assert cli.ask("--no-session", "--output-format", "json").json["session_id"] == ""
    assert [path for path in home.rglob("*") if path.is_file()] == []
    assert cli.ask("--no-session", "--continue").code == 42


def test_a_session_of_another_folder_says_where(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    serve(DONE)
    found = cli.ask("--output-format", "json").json["session_id"]
    home = cli.folder
    cli.folder = tmp_path
    ran = cli.ask("--resume", found)
    assert ran.code == 42
    assert f"qcode -C {home} --resume {found}" in ran.err


def test_a_cut_log_resumes_and_says_what_was_lost(cli: Cli, serve: Serve, home: Path) -> None:
    serve(Reply(text="one"), Reply(text="two"))
    cli.ask()
    [log] = logs(home)
    log.write_bytes(log.read_bytes()[:-30])
    ran = cli.ask("--continue")
    assert ran.out == "two\n"
    assert "The log was cut" in ran.err


def test_a_broken_log_is_a_sentence_and_stays(cli: Cli, serve: Serve, home: Path) -> None:
    serve(DONE)
    found = cli.ask("--output-format", "json").json["session_id"]
    [log] = logs(home)
    log.write_bytes(b"garbage\n" * 3)
    for flags in (("--continue",), ("--resume", found)):
        ran = cli.ask(*flags)
        assert ran.code == 42
        assert "qcode sessions" in ran.err
    assert log.read_bytes() == b"garbage\n" * 3


def test_a_session_in_use_is_not_written_twice(cli: Cli, serve: Serve) -> None:
    server = serve(Reply(text="one"), Reply(text="two", end="hang"))
    found = cli.ask("--output-format", "json").json["session_id"]
    running = cli.start("--resume", found)
    try:
        server.wait_for(lambda it: it.running > 0, 15)
        ran = cli.ask("--resume", found)
    finally:
        running.signal(15)
        running.end()
    assert ran.code == 42
    assert "is open in another qcode" in ran.err
    assert "--fork-session" in ran.err
