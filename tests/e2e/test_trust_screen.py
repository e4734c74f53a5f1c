"""The question of a folder in a real terminal: what is typed answers nothing by accident."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.rig import DONE, Cli
from tests.e2e.test_trust import UNTHINKING, configure, thinks, told
from tests.support.scripted_server import ScriptedServer

if sys.platform == "win32":
    pytest.skip("no pseudo terminals there", allow_module_level=True)

from tests.support.terminal import Terminal

Serve = Callable[..., ScriptedServer]
ASKS = "Trust what this folder configures?"
DOWN = "\x1b[B"
LATER = 0.8
"""Seconds in which one could have read it, and types nothing."""


def app(cli: Cli, *argv: str) -> Terminal:
    """The app, in a terminal."""
    return Terminal(cli.line(*argv), cwd=cli.folder, env=cli.environ, size=(100, 30))


def state(cli: Cli) -> str:
    """As `qcode trust` says it."""
    return str(json.loads(told(cli, "trust", "--json"))["trust"])


def ask(terminal: Terminal, words: str) -> None:
    """Say something, once there is a session."""
    terminal.wait_for("scripted-model")
    terminal.type(f"{words}\r")
    terminal.wait_for("Done.")


def test_trust_counts_at_once_and_is_asked_for_once(cli: Cli, serve: Serve) -> None:
    server = serve(DONE, DONE)
    configure(cli.folder)
    with app(cli) as terminal:
        terminal.wait_for(ASKS)
        terminal.wait_for('agent.thinking = "off"')
        time.sleep(LATER)
        terminal.type(DOWN)
        terminal.type("\r")
        ask(terminal, "go")
    assert not thinks(server)
    assert state(cli) == "trusted"
    with app(cli) as terminal:
        ask(terminal, "go")
        assert ASKS not in terminal.text
    assert not thinks(server)


def test_who_goes_on_without_it_is_asked_again_only_when_it_changes(cli: Cli, serve: Serve) -> None:
    server = serve(DONE, DONE)
    file = configure(cli.folder)
    with app(cli) as terminal:
        terminal.wait_for(ASKS)
        time.sleep(LATER)
        terminal.type("\r")
        ask(terminal, "go")
    assert thinks(server)
    assert state(cli) == "declined"
    with app(cli) as terminal:
        ask(terminal, "go")
    assert thinks(server)
    file.write_text(f"{UNTHINKING}# more\n")
    with app(cli) as terminal:
        terminal.wait_for(ASKS)
        terminal.wait_for("+# more")


@pytest.mark.parametrize("after_seconds", [0.0, 0.3, 0.6, 0.9])
def test_a_prompt_that_is_typed_into_the_question_trusts_nothing_and_is_kept(
    cli: Cli, serve: Serve, after_seconds: float
) -> None:
    serve()
    configure(cli.folder)
    with app(cli) as terminal:
        time.sleep(after_seconds)  # wherever the start happens to be then
        for sign in "trust yes all\r":
            terminal.type(sign)
            time.sleep(0.03)
        terminal.wait_for(ASKS)
        time.sleep(LATER)
        terminal.type("\x1b")
        terminal.wait_until(lambda seen: any("❯ trust yes all" in row for row in seen.rows))
    assert state(cli) == "untrusted"


def test_there_is_no_question_where_nothing_configures(cli: Cli, serve: Serve, home: Path) -> None:
    serve(DONE)
    (cli.folder / ".env").write_text("QCODE_MODEL=evil\n")
    with app(cli) as terminal:
        ask(terminal, "go")
        assert ASKS not in terminal.text
    assert not (home / "qcode" / "state" / "trust").exists()
