"""`qcode bug`: what helps, and nothing that is yours."""

from collections.abc import Callable
from pathlib import Path

from tests.e2e.conftest import cli, serve
from tests.e2e.rig import DONE, Cli, calling
from tests.support.scripted_server import ScriptedServer

__all__ = ["cli", "serve"]
Serve = Callable[..., ScriptedServer]
SECRET = "sk-abcdefghijklmnopqrstuvwxyz0123456789"


def test_it_tells_of_the_machine_the_settings_and_the_session(cli: Cli, serve: Serve) -> None:
    serve(calling("glob", pattern="*"), DONE)
    cli.ask()
    cli.url = ""
    ran = cli.run("bug")
    assert ran.code == 0
    for word in ("qcode 0.", "Python 3.", "ToolCallFinished 1", "the log is whole", "on llamacpp"):
        assert word in ran.out


def test_it_holds_no_key_and_no_word_of_a_conversation(cli: Cli, serve: Serve) -> None:
    serve(calling("shell", command="echo my-own-command"), DONE)
    cli.run("-p", "words of mine", "--append-system-prompt", "my rule")
    cli.url = ""
    given = {"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": "http://10.0.0.7:1/v1"}
    ran = cli.run("bug", environ=given)
    for word in ("words of mine", "my-own-command", "my rule", SECRET, "10.0.0.7"):
        assert word not in ran.out
    assert "on another machine" in ran.out


def test_it_goes_into_a_file_and_a_session_that_is_none_is_told(cli: Cli, tmp_path: Path) -> None:
    ran = cli.run("bug", "-o", str(tmp_path / "report.md"))
    assert ran.out == f"{tmp_path / 'report.md'}\n"
    assert (tmp_path / "report.md").read_text().startswith("# qcode: a report")
    assert "before you send it" in ran.err
    assert cli.run("bug", "nobody").code == 42
