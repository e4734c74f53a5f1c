"""`--debug`: a log file, and no secret in it or anywhere else."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.rig import DONE, YOLO, Cli, calling
from tests.support.script import Body, Reply
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]


def log_file(home: Path) -> Path:
    """Where `qcode paths` says it is."""
    return home / "qcode" / "state" / "qcode.log"


@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "QCODE_API_KEY", "MY_TOKEN"])
def test_a_key_is_in_no_file_and_no_output(
    cli: Cli, serve: Serve, home: Path, variable: str
) -> None:
    key = "plain-words-0123456789"

    def refuse(body: Body) -> Reply:
        return Reply(status=401, body={"error": {"message": f"wrong key {key}"}})

    server = serve(calling("shell", command="env; echo $" + variable), refuse)
    flags = {variable: key, **({"QCODE_API_KEY_ENV": variable} if "QCODE" not in variable else {})}
    ran = cli.ask("--debug", *YOLO, environ=flags)
    assert ran.code == 41
    assert server.requests[0].headers["authorization"] == f"Bearer {key}"
    assert key not in server.requests[1].raw.decode()
    assert key not in ran.out + ran.err
    files = [path for path in home.rglob("*") if path.is_file()]
    assert log_file(home) in files
    assert [path for path in files if key.encode() in path.read_bytes()] == []


def test_the_log_is_private_and_says_what_happened(cli: Cli, serve: Serve, home: Path) -> None:
    serve(calling("glob", pattern="*"), DONE)
    ran = cli.ask("--debug")
    assert f"the log file is {log_file(home)}" in ran.err
    assert stat.S_IMODE(log_file(home).stat().st_mode) == 0o600
    assert "ToolCallStarted" in log_file(home).read_text()


def test_without_debug_only_trouble_is_logged(cli: Cli, serve: Serve, home: Path) -> None:
    serve(DONE, Reply(text="half", end="reset"), DONE)
    cli.ask()
    assert not log_file(home).exists()
    cli.ask()
    assert "retry 1" in log_file(home).read_text()


def test_a_log_that_cannot_be_written_is_told_only_when_asked_for(
    cli: Cli, serve: Serve, home: Path
) -> None:
    (home / "qcode").mkdir()
    (home / "qcode" / "state").touch()  # a file where the folder was meant
    serve(Reply(text="half", end="reset"), DONE)
    assert cli.ask().code == 0
    ran = cli.ask("--debug")
    assert ran.code == 52
    assert f"{log_file(home)} cannot be written" in ran.err
