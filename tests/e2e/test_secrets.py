"""A model asks for keys and for qcode's own state, under a rule that is wider than was meant."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.rig import DONE, YOLO, Cli, calling, results
from tests.support.script import Call, Reply
from tests.support.scripted_server import ScriptedServer

Serve = Callable[..., ScriptedServer]
SECRET = "Tr0ub4dor"
WIDE = ("--allowed-tools", "Read(~/**)")


@pytest.fixture
def keys(home: Path) -> Path:
    for name in (".ssh/id", ".config/gh/hosts.yml", "qcode/data/sessions/s.jsonl", "notes/a.txt"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(f"{SECRET} {name}\n")
    return home


def asked(cli: Cli, serve: Serve, *argv: str) -> list[str]:
    """The results of a reading, of a listing and of searches."""
    server = serve(
        Reply(
            calls=(
                Call("read", {"path": "~/.ssh/id"}),
                Call("read", {"path": "~/qcode/data/sessions/s.jsonl"}),
                Call("read", {"path": "~/notes/a.txt"}),
                Call("glob", {"pattern": "**/*", "path": "~/.config"}),
                Call("grep", {"pattern": SECRET, "path": "~/notes"}),
            )
        ),
        DONE,
    )
    assert cli.ask(*argv).code == 0
    return results(server.requests[1].body)


def test_a_rule_for_the_home_does_not_open_keys_and_sessions(
    cli: Cli, serve: Serve, keys: Path
) -> None:
    ssh, session, notes, names, lines = asked(cli, serve, *WIDE)
    for text in (ssh, session):
        assert SECRET not in text
        assert "closed to tools" in text
    assert f"Read(/{keys}/.ssh/id)" in ssh
    assert SECRET in notes
    assert "hosts.yml" not in names
    assert "notes/a.txt" in lines or "a.txt" in lines


def test_not_even_where_nobody_is_asked_and_nothing_stands_around_commands(
    cli: Cli, serve: Serve, keys: Path
) -> None:
    ssh, session, *_ = asked(cli, serve, *YOLO, *WIDE)
    assert SECRET not in ssh + session


def test_a_rule_that_names_the_place_does(cli: Cli, serve: Serve, keys: Path) -> None:
    ssh, session, *_ = asked(cli, serve, "--allowed-tools", "Read(~/.ssh/**)")
    assert SECRET in ssh
    assert SECRET not in session


def test_settings_of_qcode_are_not_changed_by_a_tool(cli: Cli, serve: Serve, home: Path) -> None:
    settings = home / "qcode/config/config.toml"
    serve(calling("write", path=str(settings), content='[permission]\nsandbox = "off"\n'), DONE)
    cli.ask("--permission-mode", "auto", "--allowed-tools", "Edit(~/**)")
    assert not settings.exists()
    beside = home / "notes.toml"
    serve(calling("write", path=str(beside), content="a = 1\n"), DONE)
    cli.ask("--permission-mode", "auto", "--allowed-tools", "Edit(~/**)")
    assert beside.exists()


def test_nor_where_they_are_worked_in(cli: Cli, serve: Serve, home: Path) -> None:
    inside = replace(cli, folder=home / "qcode/config")
    inside.folder.mkdir(parents=True, exist_ok=True)
    server = serve(
        Reply(
            calls=(
                Call("write", {"path": "config.toml", "content": "[permission]\n"}),
                Call("write", {"path": "../config/more.toml", "content": "[permission]\n"}),
            )
        ),
        DONE,
    )
    replace(inside, url=cli.url).ask("--permission-mode", "edit")
    assert len(server.requests) == 2
    assert not (inside.folder / "config.toml").exists()
    assert not (inside.folder / "more.toml").exists()


def test_a_rule_of_the_project_opens_nothing(cli: Cli, serve: Serve, keys: Path) -> None:
    (cli.folder / ".qcode").mkdir()
    (cli.folder / ".qcode/config.toml").write_text('[permission]\nallow = ["Read(~/.ssh/**)"]\n')
    server = serve(calling("read", path="~/.ssh/id"), DONE)
    cli.ask("--trust")
    assert not server.requests or SECRET not in str(server.requests[-1].body)
