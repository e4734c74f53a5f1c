"""JSON and TOML nested 100,000 deep in what qcode reads of its own: a sentence, nothing lost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.rig import DONE, Cli, logs
from tests.faults.bounded import bounded, within
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]
DEEP = 100_000
LISTS = "[" * DEEP + "]" * DEEP
TABLES = '{"a":' * DEEP + "1" + "}" * DEEP


@pytest.mark.parametrize("deep", [LISTS, TABLES, '{"v":1,"n":9,"type":"Notice","level":' + LISTS])
def test_a_log_with_a_deep_line_goes_on(cli: Cli, serve: Serve, home: Path, deep: str) -> None:
    serve(DONE, DONE)
    assert bounded(cli).code == 0
    [log] = logs(home)
    whole = log.read_bytes()
    log.write_bytes(whole + deep.encode() + b"\n")
    ran = bounded(cli, "--continue")
    assert ran.code == 0, ran.err
    assert "The log was cut" in ran.err
    assert log.read_bytes().startswith(whole)
    [aside] = log.parent.glob("*.cut-*")
    assert aside.read_bytes().strip() == deep.encode()
    for action in (["list"], ["show"], ["search", "Done"], ["export"], ["rewind"]):
        assert within(cli, cli.line("sessions", *action)[:-2]).code == 0, action


@pytest.mark.parametrize("where", ["user", "project"])
@pytest.mark.parametrize("text", [f"a = {LISTS}", "a = " + "{a=" * DEEP + "1" + "}" * DEEP])
def test_settings_that_are_deep_are_a_sentence(
    cli: Cli, serve: Serve, home: Path, where: str, text: str
) -> None:
    folder = home / "qcode" / "config" if where == "user" else cli.folder / ".qcode"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(text)
    if where == "project":  # it is not trusted, and so not even read
        serve(DONE)
    ran = bounded(cli)
    assert ran.code == (0 if where == "project" else 52), ran.err


def test_a_file_of_the_state_that_is_deep_is_passed_over(
    cli: Cli, serve: Serve, home: Path
) -> None:
    serve(DONE, DONE)
    assert bounded(cli).code == 0
    state = home / "qcode" / "state"
    for path in [*state.rglob("*.json"), *state.rglob("*.toml")]:
        path.write_text(LISTS)
    ran = bounded(cli)
    assert ran.code == 0, ran.err
