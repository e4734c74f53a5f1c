"""`qcode audit`: a session's deeds, for people and for scripts."""

import json
from pathlib import Path

import pytest

from qcode.cli.dispatch import dispatch
from qcode.config.paths import paths
from qcode.protocol.access import Access
from qcode.protocol.display import OutputBlock
from qcode.protocol.events import Connected, ToolCallFinished, ToolCallStarted, TurnStarted
from qcode.protocol.messages import ToolCall, ToolMessage, user
from qcode.session.store import Store
from tests.session.histories import started


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of a session of this folder."""
    monkeypatch.chdir(tmp_path)
    line = "make\nrm -rf \x1b[2Jb\u202ec"
    with Store(paths().sessions).create(tmp_path) as log:
        log.append(started(log.session_id, str(tmp_path)))
        log.append(TurnStarted(1, user("Go.")))
        log.append(Connected("127.0.0.1", 8080, "endpoint", "allow"))
        log.append(ToolCallStarted(ToolCall("c1", "shell", "{}"), "", (Access("shell", line),)))
        block = OutputBlock(line, "", 0, 0.1, where="inside")
        log.append(ToolCallFinished(ToolMessage("c1", "shell", "", "ok"), (block,)))
    return log.path


def test_the_latest_session_here_is_meant(
    session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(["audit"]) == 0
    text = capsys.readouterr().out
    assert "connection  127.0.0.1:8080" in text
    assert "exit 0 inside the sandbox by model" in text


def test_nothing_is_hidden_in_a_line(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dispatch(["audit", session.stem])
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "rm -rf ‹U+001B›[2Jb‹U+202E›c" in text


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        ((), "deny by command (no)"),
        (("npm ci",), "deny by command (no) for `npm ci`"),
        (("a\nb \x1b[2J", "c"), "for one of `a ⏎ b ‹U+001B›[2J`, `c`"),
    ],
)
def test_a_connection_is_told_with_the_commands_that_ran_then(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    commands: tuple[str, ...],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with Store(paths().sessions).create(tmp_path) as log:
        log.append(started(log.session_id, str(tmp_path)))
        log.append(TurnStarted(1, user("Go.")))
        log.append(Connected("evil.org", 443, "command", "deny", "no", commands))
    assert dispatch(["audit", "--kind", "connection"]) == 0
    assert words in capsys.readouterr().out


def test_scripts_get_all_of_it(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["audit", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["session"] == session.stem
    assert [row["kind"] for row in found["rows"]] == ["session", "connection", "command"]
    assert found["rows"][2]["what"] == "make\nrm -rf \x1b[2Jb\u202ec"


def test_one_kind_may_be_asked_for(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dispatch(["audit", "--kind", "connection"])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_cut_log_is_told_and_read(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = session.read_bytes()
    session.write_bytes(data[:-30])
    assert dispatch(["audit"]) == 0
    told = capsys.readouterr()
    assert "no result in the log" in told.out
    assert "The log was cut" in told.err


def test_no_session_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert dispatch(["audit"]) != 0
    assert "There is no session" in capsys.readouterr().err
