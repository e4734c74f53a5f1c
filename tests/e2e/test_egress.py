"""What leaves the process: the endpoint is talked to, and nobody else, whatever a run does."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from qcode.server.endpoint import PORTS
from tests.e2e.recorder import Recorder
from tests.e2e.rig import DONE, YOLO, Cli, calling, results
from tests.support.llama_words import About, Kind
from tests.support.script import Call, Reply
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]
HERE = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture
def recorder(tmp_path: Path, cli: Cli) -> Recorder:
    """Of everything that `cli` starts."""
    folder = tmp_path / "recorder"
    folder.mkdir()
    made = Recorder(folder)
    cli.environ |= made.environ
    return made


def only(server: ScriptedServer) -> set[tuple[object, ...]]:
    """What a run that talks to nobody else reaches."""
    return {("127.0.0.1", server.port)}


def without_look_ups(reached: set[tuple[object, ...]]) -> set[tuple[object, ...]]:
    """Looking up an address asks nobody."""
    return {one for one in reached if one != ("127.0.0.1",)}


def test_the_recorder_would_see_it(cli: Cli, recorder: Recorder, serve: Serve) -> None:
    server = serve(calling("shell", command="true"), DONE)
    cli.ask(*YOLO)
    assert ("127.0.0.1", server.port) in recorder.reached()


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_run_with_every_tool_reaches_the_endpoint_alone(
    kind: Kind, cli: Cli, recorder: Recorder, serve: Serve
) -> None:
    (cli.folder / "a.py").write_text("x = 1\n")
    edit = {"path": "a.py", "old_string": "1", "new_string": "2"}
    server = serve(
        Reply(
            reasoning="Let me see.",
            calls=(
                Call("read", {"path": "a.py"}),
                Call("glob", {"pattern": "*"}),
                Call("grep", {"pattern": "x"}),
            ),
        ),
        calling("edit", **edit),
        calling("write", path="b.py", content="y = 1\n"),
        calling("todo", items="[x] all"),
        calling("shell", command="echo done"),
        DONE,
        about=About(kind=kind),
    )
    ran = cli.ask(*YOLO, "--verify", "true", "--max-tokens-total", "900000", "--debug")
    assert ran.code == 0, ran.err
    assert without_look_ups(recorder.reached()) == only(server)


def test_a_search_for_a_server_stays_on_this_machine(cli: Cli, recorder: Recorder) -> None:
    cli.run("servers")
    reached = recorder.reached()
    assert {host for host, *_ in reached} <= HERE
    assert {one[1] for one in reached if len(one) == 2} == set(PORTS)


@pytest.mark.parametrize(
    "argv",
    [
        ("--version",),
        ("--help",),
        ("paths",),
        ("config", "show"),
        ("permissions", "modes"),
        ("completion", "bash"),
    ],
)
def test_what_needs_no_server_reaches_nobody(
    argv: tuple[str, ...], cli: Cli, recorder: Recorder
) -> None:
    cli.run(*argv)
    assert not recorder.file.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals there")
def test_the_app_reaches_the_endpoint_alone(cli: Cli, recorder: Recorder, serve: Serve) -> None:
    from tests.support.terminal import Terminal  # noqa: PLC0415 - not for Windows

    server = serve(Reply(text="See https://example.com/ for more.", reasoning="Hm."))
    with Terminal(cli.line(), cwd=cli.folder, env=cli.environ, size=(100, 30)) as terminal:
        terminal.wait_for("❯")
        terminal.wait_for("scripted-model")
        terminal.type("why?\r")
        terminal.wait_for("See https://example.com/")
        terminal.type("\x03\x03")
        terminal.wait()
    assert without_look_ups(recorder.reached()) == only(server)


def tools(body: dict[str, Any]) -> set[str]:
    """Names of those that a request offers."""
    return {tool["function"]["name"] for tool in body["tools"]}


def test_offline_a_run_works_as_ever_without_fetch(
    cli: Cli, recorder: Recorder, serve: Serve
) -> None:
    server = serve(calling("shell", command="echo hello"), DONE)
    ran = cli.ask(*YOLO, "--offline", "--allowed-tools", "WebFetch(domain:example.com)")
    assert (ran.code, ran.out) == (0, "Done.\n")
    assert "without a sandbox commands reach the network" in ran.err
    assert "fetch" not in tools(server.requests[0].body)
    assert without_look_ups(recorder.reached()) == only(server)


def test_offline_another_address_is_refused_with_a_sentence(cli: Cli, serve: Serve) -> None:
    """The proxy of the environment is none of the endpoints."""
    cli.url = "http://models.example.invalid:8080/v1"
    proxy = {"HTTP_PROXY": "http://127.0.0.1:1/", "QCODE_OFFLINE": "1"}
    ran = cli.ask(environ=proxy)
    assert ran.code == 75
    assert "qcode is offline and does not connect to 127.0.0.1:1" in ran.err


def test_fetch_is_offered_where_a_rule_allows_a_host(cli: Cli, serve: Serve) -> None:
    server = serve(DONE, DONE)
    cli.ask()
    cli.ask("--allowed-tools", "WebFetch(domain:example.com)")
    first, second = (tools(request.body) for request in server.requests)
    assert second - first == {"fetch"}


def test_a_host_without_a_rule_is_not_even_looked_up(
    cli: Cli, recorder: Recorder, serve: Serve
) -> None:
    server = serve(calling("fetch", url="http://other.example.invalid/"), DONE)
    cli.ask("--allowed-tools", "WebFetch(domain:example.com)")
    (result,) = results(server.requests[1].body)
    assert result.startswith("Denied:")
    assert "WebFetch(domain:other.example.invalid)" in result
    assert without_look_ups(recorder.reached()) == only(server)


def test_the_endpoint_is_not_fetched_from_and_the_audit_tells(cli: Cli, serve: Serve) -> None:
    server = serve()
    url = f"http://127.0.0.1:{server.port}/props"
    server.add(calling("fetch", url=url), DONE)
    ran = cli.ask("--allowed-tools", "WebFetch(domain:127.0.0.1)")
    assert ran.code == 0
    (result,) = results(server.requests[1].body)
    assert "nothing is fetched from 127.0.0.1" in result
    cli.url = ""
    rows = json.loads(cli.run("audit", "--json").out)["rows"]
    told = [(row["kind"], row["what"], row["outcome"], row["by"]) for row in rows[1:]]
    at = f"127.0.0.1:{server.port}"
    assert told == [
        ("connection", at, "allow", "endpoint"),
        ("fetch", url, "error", "model"),
        ("connection", at, "deny", "fetch"),
    ]
