"""The fence as it is typed: raised by default, the network closed in it, and how to open it."""

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from qcode.protocol.events import ApprovalRequested, ApprovalSettled, Connected
from qcode.protocol.messages import ToolMessage
from qcode.sandbox.choose import choose
from qcode.sandbox.ground import Ground
from qcode.session.conversation import fold
from qcode.session.store import Store
from tests.e2e.rig import DONE, Cli, calling, logs, results
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]
JSON = ("--output-format", "json")
HOST = "nowhere.invalid"  # a name that no resolver knows (RFC 6761)
PYTHON = shlex.quote(os.path.realpath(sys.executable))
"""Not that of a virtual environment: it may lie in /tmp, of which the fence has its own."""
FETCH = f"{PYTHON} -c 'import urllib.request as u; u.urlopen(\"https://{HOST}/\")'"
RULE = f"WebFetch(domain:{HOST})"


@pytest.fixture(autouse=True)
def fence(tmp_path: Path) -> None:
    """Skips where this machine has none."""
    ground = Ground.of((tmp_path,), (), (), os.environ)
    if not (choice := choose(ground, tmp_path)).fence:
        pytest.skip(choice.why)


def test_commands_run_unasked_inside_and_write_nothing_outside(cli: Cli, serve: Serve) -> None:
    outside = cli.folder.parent / "outside"
    server = serve(calling("shell", command=f"touch inside; touch {outside}; echo end"), DONE)
    ran = cli.ask()
    assert ran.code == 0
    assert "mode auto" in ran.err
    assert results(server.requests[1].body)[0].endswith("end")
    assert (cli.folder / "inside").exists()
    assert not outside.exists()


def test_a_host_that_nobody_allowed_is_refused_and_the_flag_is_named(
    cli: Cli, serve: Serve
) -> None:
    server = serve(calling("shell", command=FETCH), DONE)
    ran = cli.ask(*JSON)
    assert ran.code == 0, "the model said what it could not do: that is an answer"
    [told] = results(server.requests[1].body)
    [note] = [row for row in told.splitlines() if row.startswith("[network]")]
    assert f"{HOST}:443 was refused" in note
    assert f"--allowed-tools '{RULE}'" in note
    assert f"--allowed-tools '{RULE}'" in ran.err
    [denial] = ran.json["permission_denials"]
    assert denial["tool_input"] == {"host": HOST, "port": 443, "commands": [FETCH]}
    assert denial["allowed_by"] == f"--allowed-tools '{RULE}'"


def test_the_flag_that_is_named_opens_the_host(cli: Cli, serve: Serve) -> None:
    server = serve(calling("shell", command=FETCH), DONE)
    ran = cli.ask("--allowed-tools", RULE, *JSON)
    assert ran.code == 0
    assert ran.json["permission_denials"] == []
    assert "nobody can be asked" not in results(server.requests[1].body)[0]


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--offline", "--allowed-tools", RULE), "offline"),
        (("--disallowed-tools", RULE, "--allowed-tools", "WebFetch"), f"deny {RULE}"),
        (("--permission-mode", "dontAsk", "--allowed-tools", "Bash"), "dontAsk"),
    ],
)
def test_what_stands_against_it_is_told(
    cli: Cli, serve: Serve, flags: tuple[str, ...], why: str
) -> None:
    server = serve(calling("shell", command=FETCH), DONE)
    assert cli.ask(*flags).code == 0
    [told] = results(server.requests[1].body)
    assert any(why in row for row in told.splitlines() if row.startswith("[network]")), told


def test_a_session_with_questions_about_the_network_goes_on(
    cli: Cli, serve: Serve, home: Path
) -> None:
    serve(calling("shell", command=FETCH), DONE)
    assert cli.ask().code == 0
    [log] = logs(home)
    events = Store(log.parent.parent).open(log.stem).events
    assert [e.answer for e in events if isinstance(e, ApprovalSettled)] == ["deny"]
    assert [e.call.name for e in events if isinstance(e, ApprovalRequested)] == ["network"]
    assert [(e.host, e.answer) for e in events if isinstance(e, Connected)][-1] == (HOST, "deny")
    talk = fold(events)
    assert talk.dangling() == ()
    assert len([one for one in talk.messages if isinstance(one, ToolMessage)]) == 1
    server = serve(DONE)
    assert cli.run("-p", "go on", "--continue").code == 0
    assert "network-1" not in str(server.requests[0].body)


def test_where_no_fence_holds_it_is_said_and_commands_are_denied(cli: Cli, serve: Serve) -> None:
    (cli.folder / "Makefile").write_text("made:\n\ttouch made\n")
    server = serve(calling("shell", command="make made"), DONE)
    ran = cli.ask("--add-dir", "/proc")
    assert ran.code == 0
    assert ran.err.count("No sandbox holds here") == 1
    assert "mode edit" in ran.err
    assert "Denied" in results(server.requests[1].body)[0]
    assert not (cli.folder / "made").exists()
