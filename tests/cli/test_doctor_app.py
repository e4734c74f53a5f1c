"""`/doctor` in the app: the terminal is the app's, and what is learned is kept."""

import asyncio
from pathlib import Path

import pytest

from qcode.cli import doctor_app
from qcode.config.load import load, sources
from qcode.protocol.errors import ServerGone
from qcode.tui.home import Examination
from tests.support.llama_words import About
from tests.support.script import Reply
from tests.support.scripted_server import StartScripted


def test_it_examines_writes_nothing_to_the_terminal_and_keeps_what_it_found(
    scripted: StartScripted,
    home: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    small = About(kind="llamacpp", context_tokens=4096)
    url = scripted(about=small, otherwise=lambda body: Reply(text="Yes.")).base_url
    said, checks = list[str](), list[str]()
    wanted = Examination(url, "", said.append, checks.append)
    found = asyncio.run(doctor_app.examine(wanted, load(sources()), tmp_path))
    assert found.server is not None
    assert found.server.base_url == url
    assert [finding.id for finding in found.findings if "context" in finding.id]
    assert any("cache" in words for words in said)
    assert checks[:2] == ["qcode's own side", "meeting the server"]
    assert capfd.readouterr() == ("", "")
    assert list((tmp_path / "doctor").glob("*.json"))


def test_where_nobody_answers_it_is_said(home: Path, tmp_path: Path) -> None:
    wanted = Examination("http://127.0.0.1:9/v1", "", lambda _: None, lambda _: None)
    with pytest.raises(ServerGone, match="No server answers"):
        asyncio.run(doctor_app.examine(wanted, load(sources()), tmp_path))
