"""The first line comes before the engine is there; whatever happens then, a host has its end."""

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.host import BOTH, Host
from tests.e2e.rig import LIMIT_SECONDS, Cli, words
from tests.support.script import Reply
from tests.support.scripted_server import ScriptedServer

NOBODY = "http://127.0.0.1:9/v1"
WRONG = '[sandbox]\noutside = ["Read"]\n'
"""Nobody judges this before there is an engine."""


@pytest.fixture
def wrong(cli: Cli) -> None:
    """Settings by which no engine can be made."""
    file = Path(cli.environ["QCODE_HOME"]) / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(WRONG)


def started(cli: Cli) -> "subprocess.Popen[bytes]":
    """A driven run that nobody has said anything to."""
    return subprocess.Popen(
        cli.line(*BOTH),
        cwd=cli.folder,
        env=cli.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.usefixtures("wrong")
@pytest.mark.parametrize("form", ["stream-json", "json-array"])
def test_what_keeps_the_engine_from_being_made_is_a_result(
    cli: Cli, form: str, tmp_path: Path
) -> None:
    target = tmp_path / "last.txt"
    target.write_text("of an earlier run")
    ran = cli.ask("--output-format", form, "-o", str(target))
    first, last = (
        json.loads(ran.out) if form == "json-array" else map(json.loads, ran.out.splitlines())
    )
    assert first["subtype"] == "init"
    assert (last["type"], last["is_error"], last["session_id"]) == (
        *("result", True),
        first["session_id"],
    )
    assert "Read does not name commands" in last["errors"][0]
    assert ran.code == last["qcode"]["exit_code"] == 52
    assert ran.err.count("Read does not name commands") == 1
    assert target.read_text() == ""


@pytest.mark.usefixtures("wrong")
def test_a_host_is_told_why_nobody_answers_it(cli: Cli) -> None:
    host = Host(cli)
    told = host.result()
    assert told["is_error"] is True
    assert host.end() == 52
    assert host.seen == [host.seen[0], told]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("wait_seconds", [0, 0.03, 0.06, 0.1, 0.15, 0.25, 0.4])
def test_a_signal_behind_the_first_line_ends_the_run_tidily(
    cli: Cli, number: signal.Signals, wait_seconds: float
) -> None:
    cli.url = NOBODY
    process = started(cli)
    assert process.stdout
    first = process.stdout.readline()
    time.sleep(wait_seconds)
    process.send_signal(number)
    out, err = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert [json.loads(line)["type"] for line in (first + out).splitlines()] == ["system"]
    assert b"Traceback" not in err


def test_who_reads_the_first_line_alone_ends_the_run(cli: Cli) -> None:
    cli.url = NOBODY
    there, here = os.pipe()
    process = subprocess.Popen(
        cli.line("-p", "go", "--output-format", "stream-json"),
        cwd=cli.folder,
        env=cli.environ,
        stdin=subprocess.DEVNULL,
        stdout=here,
        stderr=subprocess.PIPE,
    )
    os.close(here)
    os.read(there, 10)
    os.close(there)
    _, err = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode in (1, 75)  # it may have heard by then that no server is there
    assert b"nobody reads" in err
    assert b"Traceback" not in err


@pytest.mark.parametrize("said", ["soon", "1m"])
def test_a_wait_that_is_no_time_ends_the_run_before_it_begins(cli: Cli, said: str) -> None:
    ran = cli.ask("--output-format", "stream-json", environ={"QCODE_APPROVAL_SECONDS": said})
    assert ran.code == 42
    assert said in json.loads(ran.out)["errors"][0]


@pytest.mark.parametrize("form", ["stream-json", "json-array"])
@pytest.mark.parametrize(
    "argv", [("--model", os.fsdecode(b"\xff")), ("--mcp-config", '{"mcpServers":{"\udcff":{}}}')]
)
def test_names_that_are_no_text_can_be_told(cli: Cli, form: str, argv: tuple[str, str]) -> None:
    cli.url = NOBODY
    ran = cli.ask("--output-format", form, *argv)
    found = (
        json.loads(ran.out) if form == "json-array" else list(map(json.loads, ran.out.splitlines()))
    )
    assert "\ufffd" in ran.out
    assert found[0]["subtype"] == "init"
    assert "No server answers" in found[-1]["errors"][0]
    assert ran.code == 75


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has a disk that is full")
def test_a_full_disk_is_no_reader_that_left(cli: Cli) -> None:
    cli.url = NOBODY
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            cli.line("-p", "go", "--output-format", "stream-json"),
            cwd=cli.folder,
            env=cli.environ,
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=LIMIT_SECONDS,
            check=False,
        )
    assert done.returncode in (1, 75)  # it may have heard by then that no server is there
    assert b"stdout cannot be written (No space left on device)" in done.stderr


@pytest.mark.parametrize("most_bytes", [16_000, 60_000])
def test_a_result_that_could_not_be_written_is_no_success(
    cli: Cli, serve: Callable[..., ScriptedServer], most_bytes: int, tmp_path: Path
) -> None:
    serve(Reply(text=words(10_000)))

    def narrow() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    with (tmp_path / "out.jsonl").open("wb") as out:
        done = subprocess.run(
            cli.line("-p", "go", "--output-format", "stream-json", "--no-session"),
            cwd=cli.folder,
            env={**cli.environ, "PYTHONDONTWRITEBYTECODE": "1"},  # half a cache would stay
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            timeout=LIMIT_SECONDS,
            check=False,
            preexec_fn=narrow,
        )
    assert done.returncode == 1
    assert b"stdout cannot be written (File too large)" in done.stderr
