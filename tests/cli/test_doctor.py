"""`qcode doctor` as it is typed: its forms, its exit codes, and what it leaves alone."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from qcode.doctor.probes.table import DEEP, PROBES
from qcode.doctor.report import Report
from tests.e2e.conftest import cli, serve
from tests.e2e.rig import LLAMA, Cli
from tests.support.http1 import Json
from tests.support.llama_words import About
from tests.support.script import Pace, Received, Reply
from tests.support.scripted_server import ScriptedServer, StartScripted

__all__ = ["cli", "serve"]
Serve = Callable[..., ScriptedServer]
SMALL = About(kind="llamacpp", context_tokens=4096)
OWN = ["sandbox", "folders", "disk", "keyring", "git", "ripgrep"]  # and no terminal: a pipe


def of(text: str) -> Report:
    return msgspec.json.decode(text, type=Report)


def test_a_small_context_is_a_finding_and_exit_1(cli: Cli, serve: Serve) -> None:
    serve(about=SMALL)
    ran = cli.run("doctor", "--only", "context", "--json")
    report = of(ran.out)
    assert ran.code == 1
    assert [check.probe for check in report.checks] == ["context"]
    assert report.findings[0].weight in ("broken", "slow")
    assert "-c " in report.findings[0].change


def test_a_server_that_is_well_is_exit_0(cli: Cli, serve: Serve) -> None:
    serve(about=About(kind="llamacpp", context_tokens=262_144))
    ran = cli.run("doctor", "--only", "context")
    assert ran.code == 0
    assert "works    context" in ran.out


def test_before_it_begins_it_says_what_it_takes(cli: Cli, serve: Serve) -> None:
    serve()
    ran = cli.run("doctor", "--only", "context")
    assert "takes the place of the conversation" in ran.err
    assert "\r" not in ran.err  # no progress where stderr is no terminal


def test_without_a_server_our_side_is_checked_and_it_is_unavailable(cli: Cli) -> None:
    ran = cli.run("doctor", "--base-url", "http://127.0.0.1:9/v1", "--json")
    report = of(ran.out)
    assert ran.code == 75
    assert report.server is None
    assert [check.probe for check in report.own] == OWN
    assert "No server answers at http://127.0.0.1:9/v1" in ran.err


def test_without_a_server_the_screen_says_so_first(cli: Cli) -> None:
    ran = cli.run("doctor", "--base-url", "http://127.0.0.1:9/v1")
    assert ran.code == 75
    assert all(f"qcode {name}" in ran.err for name in ("serve", "models"))  # how to have one
    assert "--gguf" in ran.err
    assert ran.out.startswith("no server")
    assert "sandbox" in ran.out


class Closed(ScriptedServer):
    """A server that wants a key."""

    async def other(self, request: Received) -> tuple[int, Json]:
        return 401, {"error": {"message": "Invalid API Key", "code": 401}}


def test_a_key_that_is_refused_is_not_an_absent_server(cli: Cli) -> None:
    server = Closed(about=LLAMA).start()
    try:
        ran = cli.run("doctor", "--base-url", server.base_url, "--only", "context")
    finally:
        server.close()
    assert ran.code == 41
    assert "no server" not in ran.err
    assert ran.out.startswith("the server refuses the key: nothing of it was checked\n")


def test_a_server_at_work_is_left_alone_unless_it_is_said(cli: Cli, serve: Serve) -> None:
    server = serve(Reply(text="slow", pace=Pace(wait_seconds=12.0)))
    asking = cli.start()
    server.wait_for(lambda seen: seen.running > 0)
    ran = cli.run("doctor", "--only", "context")
    assert (ran.code, ran.out.splitlines()[0]) == (
        75,
        "the server is at work for somebody: nothing of it was checked",
    )
    assert "answering somebody" in ran.err
    anyway = cli.run("doctor", "--only", "context", "--anyway")
    assert "works    context" in anyway.out
    assert asking.end().out == "slow\n"
    assert len(server.requests) == 1


def test_markdown_names_no_host(cli: Cli, serve: Serve) -> None:
    serve(about=SMALL)
    ran = cli.run("doctor", "--only", "context", "--markdown")
    assert ran.out.startswith("# qcode doctor\n")
    assert "on this machine" in ran.out
    assert "| context | fails |" in ran.out
    assert str(Path.home()) not in ran.out


def test_what_was_found_is_kept_shown_and_forgotten(
    cli: Cli, scripted: StartScripted, home: Path
) -> None:
    cli.url = scripted(about=SMALL, otherwise=lambda body: Reply(text="Yes.")).base_url
    assert cli.run("doctor", "--seconds", "1").code == 1
    [file] = (home / "qcode" / "state" / "doctor").glob("*.json")
    assert file.stat().st_mode & 0o077 == 0
    shown = cli.run("servers").out
    assert "  examined  20" in shown
    assert "finding" in shown
    assert json.loads(cli.run("servers", "--json").out)["servers"][0]["examined"]
    forgotten = cli.run("doctor", "--forget")
    assert (forgotten.code, file.exists()) == (0, False)
    assert forgotten.out.startswith(f"forgotten: {SMALL.model} at {cli.url}, examined 20")
    assert "examined" not in cli.run("servers").out
    assert "Nothing was known" in cli.run("doctor", "--forget").out


def test_what_is_forgotten_is_of_the_server_that_would_be_examined_unless_it_is_said(
    cli: Cli, scripted: StartScripted, home: Path
) -> None:
    folder = home / "qcode" / "state" / "doctor"
    for url in (
        scripted(about=SMALL, otherwise=lambda body: Reply(text="Yes.")).base_url,
        scripted(
            about=About(kind="llamacpp", model="other", context_tokens=4096),
            otherwise=lambda body: Reply(text="Yes."),
        ).base_url,
    ):
        cli.url = url
        assert cli.run("doctor", "--seconds", "1").code == 1
    assert len(list(folder.iterdir())) == 2
    assert "forgotten: other at" in cli.run("doctor", "--forget").out
    assert "`qcode doctor --forget all`" in cli.run("doctor", "--forget").out
    assert len(list(folder.iterdir())) == 1
    assert f"forgotten: {SMALL.model} at" in cli.run("doctor", "--forget", "all").out
    assert not list(folder.iterdir())
    assert cli.run("doctor", "--forget", "nothing").code == 2


def test_another_model_than_there_is_is_said_in_the_report(cli: Cli, serve: Serve) -> None:
    serve(about=SMALL)
    ran = cli.run("doctor", "--only", "context", "--model", "foo", "--json")
    report = of(ran.out)
    assert report.server
    assert report.server.model == SMALL.model
    assert "model.name" in [each.id for each in report.findings]


def test_one_check_alone_does_not_replace_what_is_known(cli: Cli, serve: Serve, home: Path) -> None:
    serve(about=SMALL)
    cli.run("doctor", "--only", "context")
    assert not (home / "qcode" / "state" / "doctor").exists()


def test_an_earlier_report_stands_beside_this_one(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    serve(about=SMALL)
    first = tmp_path / "first.json"
    first.write_text(cli.run("doctor", "--only", "context", "--json").out)
    serve(about=About(kind="llamacpp", context_tokens=131_072))
    ran = cli.run("doctor", "--only", "context", "--compare", str(first))
    assert ran.code == 0
    row = next(line for line in ran.out.splitlines() if "4,096" in line)
    assert row.split()[0] == "*"
    assert row.split()[-2:] == ["4,096", "131,072"]
    earlier = of(first.read_text())
    assert earlier.server
    heads = [line.split() for line in ran.out.splitlines()[:2]]
    assert heads[0][0] == earlier.server.base_url.split("/")[2]
    assert heads[1][0] == earlier.date[:10]
    assert "nothing is wrong with what was checked" in ran.out
    assert "\n1 check, took" in ran.out


def test_scripts_have_the_earlier_report_and_what_changed_since(
    cli: Cli, serve: Serve, tmp_path: Path
) -> None:
    serve(about=SMALL)
    first = tmp_path / "first.json"
    first.write_text(cli.run("doctor", "--only", "context", "--json").out)
    serve(about=About(kind="llamacpp", context_tokens=131_072))
    told = cli.run("doctor", "--only", "context", "--compare", str(first), "--json").out
    read = json.loads(told)
    assert of(told).findings == ()  # it is a report as any other, and can be compared with again
    assert read["before"] == json.loads(first.read_text())
    assert read["changes"]["context"] == ["fails", "works"]
    assert read["changes"]["context.context_tokens"] == [4096, 131072]
    ran = cli.run("doctor", "--compare", str(first), "--markdown")
    assert (ran.code, "--compare" in ran.err) == (2, True)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"qcode": 1}', None])
def test_a_file_that_is_no_report_is_said(cli: Cli, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "report.json"
    if content is not None:
        file.write_bytes(content)
    ran = cli.run("doctor", "--compare", str(file), "--base-url", "http://127.0.0.1:9/v1")
    assert ran.code == 42
    assert str(file) in ran.err


def test_a_check_that_there_is_none_of_is_said_with_those_that_there_are(cli: Cli) -> None:
    ran = cli.run("doctor", "--only", "nothing")
    assert ran.code == 2
    assert "rates" in ran.err


def test_the_list_names_each_check_and_asks_nobody(cli: Cli) -> None:
    ran = cli.run("doctor", "--list")
    assert ran.code == 0
    for probe in (*PROBES, *DEEP):
        assert f"{probe.name}  " in ran.out
        assert probe.label in ran.out


def test_names_of_checks_are_one_each() -> None:
    names = [probe.name for probe in (*PROBES, *DEEP)]
    assert len(set(names)) == len(names)
