"""`qcode bug`: what helps, and nothing that is yours."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from qcode.doctor.base import Finding
from qcode.doctor.kept import FOLDER, Kept
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


def kept(home: Path, base_url: str, *findings: Finding) -> Path:
    """What `qcode doctor` left about a server."""
    folder = home / "qcode" / "state" / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    found = Kept(
        base_url=base_url,
        kind="llamacpp",
        version="b7000",
        model="/data/ada/some-model",
        context_tokens=32_768,
        date="2026-11-21T10:00:00+00:00",
        findings=findings,
    )
    file = folder / "aa-bb.json"
    file.write_bytes(msgspec.json.encode(found))
    return file


def test_it_has_what_doctor_found_and_no_address(cli: Cli, home: Path) -> None:
    finding = Finding(
        id="reuse.none",
        weight="slow",
        title="The server at GPU.example.org reads all again.",
        cost=f"9 s a question with {SECRET}",
        change="--cache-reuse 256",
    )
    kept(home, "http://gpu.example.org:8080/v1", finding)
    ran = cli.run("bug")
    assert "2026-11-21: llamacpp b7000 with some-model, context 32768; http on another" in ran.out
    assert (
        "slow reuse.none: The server at another-machine reads all again. 9 s a question" in ran.out
    )
    assert "gpu.example.org" not in ran.out.lower()
    assert "ada" not in ran.out
    assert SECRET not in ran.out


@pytest.mark.parametrize("content", [None, b"{", b"[]"])
def test_it_is_there_without_an_examination(cli: Cli, home: Path, content: bytes | None) -> None:
    if content is not None:
        kept(home, "http://127.0.0.1:1/v1").write_bytes(content)
    ran = cli.run("bug")
    assert ran.code == 0
    assert "qcode doctor" in ran.out
