"""`qcode permissions`: the table, and why a command would be allowed or not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qcode.cli.dispatch import dispatch
from qcode.cli.permissions import main
from qcode.cli.rules import keep
from qcode.config.paths import make, paths
from qcode.permission.modes import table
from qcode.sandbox.choose import choose
from qcode.sandbox.ground import Ground


def test_modes_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["modes"]) == 0
    assert capsys.readouterr().out == table()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_on_a_terminal_modes_is_no_markdown() -> None:
    import pty  # noqa: PLC0415 - Windows has none

    ours, theirs = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "qcode", "permissions", "modes"], stdout=theirs, check=True
    )
    os.close(theirs)
    shown = os.read(ours, 65_536).decode().replace("\r\n", "\n")
    os.close(ours)
    assert "|" not in shown
    assert "`" not in shown
    assert "edit (acceptEdits; auto-edit)\n  read in workspace                 allow\n" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_modes_as_json_has_every_cell_and_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["modes", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["modes"]["auto"]["fenced"] == "allow"
    assert found["words"]["yolo"] == {"mode": "auto", "asks": "ask", "sandbox": "off"}


def test_test_names_commands_rules_and_sources(capsys: pytest.CaptureFixture[str]) -> None:
    file = paths().config_file
    make(file.parent)
    file.write_text('[permission]\nallow = ["Bash(git:*)"]\ndeny = ["Bash(rm:*)"]\n')
    line = "git status && timeout 5 rm x; make > f"
    assert main(["test", line]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"deny: user {file}:3: deny Bash(rm:*)",
        f"  git status  ← user {file}:2: allow Bash(git:*); only reads .",
        f"  rm x  ← user {file}:3: deny Bash(rm:*); only changes x",
        "  make  ← no rule; can do anything",
        "  reads .",
        "  changes x",
        "  changes f",
        "  opened: timeout 5 rm x",
        "  not clear: it writes f",
        "  judged in ask mode, without a sandbox; `qcode sandbox check` says if one holds",
    ]


def test_test_looks_at_files_as_a_run_does(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    (tmp_path / "secret").touch()
    Path("link").symlink_to(tmp_path / "secret")
    Path("a").touch()
    assert main(["test", "cat a"]) == 0
    assert capsys.readouterr().out.startswith("allow: it only reads a\n")
    assert main(["test", "cat link", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    secret = (tmp_path / "secret").resolve().as_posix()
    assert (found["answer"], found["proven"]) == ("ask", True)
    assert found["files"] == [{"kind": "read", "target": secret, "place": "outside"}]
    assert found["commands"][0]["reads"] == ["link"]
    assert main(["test", "echo 'a\u202eb' > a", "--permission-mode", "edit"]) == 0
    assert "‹U+202E›" in capsys.readouterr().out


def test_test_knows_the_fence_that_an_earlier_run_proved_and_tries_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    make(paths().state)
    assert main(["test", "make", "--permission-mode", "auto", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["fence"] == "none"
    assert list(paths().state.iterdir()) == [], "a trial would be kept here"
    if choose(Ground.of((tmp_path,), (), (), os.environ), paths().state).fence is None:
        pytest.skip("no fence holds on this machine")
    assert main(["test", "make", "--permission-mode", "auto", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["fence"], found["answer"]) == ("holds", "allow")
    file = paths().config_file
    make(file.parent)
    file.write_text('[sandbox]\noutside = ["Bash(make:*)"]\n')
    assert main(["test", "make", "--permission-mode", "auto", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["fence"], found["answer"]) == ("none", "ask")


def test_test_says_what_becomes_of_a_question_that_nobody_answers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["test", "make"]) == 0
    assert capsys.readouterr().out.endswith("with -p there is nobody to ask: it would be denied\n")
    assert main(["test", "make", "--permission-mode", "yolo"]) == 0
    assert "-p" not in capsys.readouterr().out


def test_test_takes_flags_like_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--allowed-tools", "Bash(make (a, b)),Bash(ls:*)", "--json"]
    assert main(["test", "ls -la", *flags]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["answer"], found["commands"][0]["source"]) == ("allow", "flag --allowed-tools")


@pytest.mark.parametrize(
    ("flags", "answer"),
    [
        ([], "ask"),
        (["--permission-mode", "yolo"], "allow"),
        (["--permission-mode", "auto"], "ask"),
        (["--permission-mode", "auto", "--fence", "holds"], "allow"),
        (["--permission-mode", "auto", "--sandbox", "holds"], "allow"),
        (["--permission-mode", "dontAsk"], "deny"),
        (["--permission-mode", "plan", "--fence", "holds"], "deny"),
        (["--permission-mode", "yolo", "--disallowed-tools", "Bash(make)"], "deny"),
    ],
)
def test_test_follows_the_mode(
    flags: list[str], answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["test", "make", "--json", *flags]) == 0
    assert json.loads(capsys.readouterr().out)["answer"] == answer


def test_a_bad_rule_or_mode_is_a_wrong_flag_as_in_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["permissions", "test", "ls", "--permission-mode", "al"]) == 2
    assert dispatch(["permissions", "test", "ls", "--allowed-tools", "Bsh"]) == 2
    assert "Did you mean Bash?" in capsys.readouterr().err


def test_rules_that_were_approved_for_this_folder_are_listed_hold_and_are_forgotten(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = paths().config_file
    make(file.parent)
    file.write_text('[permission]\ndeny = ["Bash(rm:*)"]\n')
    keep(tmp_path, ["Bash(pytest:*)"])
    assert main(["list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"deny Bash(rm:*)  ← user {file}:2",
        "allow Bash(pytest:*)  ← approved for this project",
    ]
    assert main(["test", "pytest -q"]) == 0
    expected = "allow: approved for this project: allow Bash(pytest:*)"
    assert capsys.readouterr().out.splitlines()[0] == expected
    assert main(["forget", "Bash(pytest:*)"]) == 0
    assert main(["list", "--json"]) == 0
    [left] = json.loads(capsys.readouterr().out)
    assert left == {"answer": "deny", "text": "Bash(rm:*)", "source": f"user {file}:2"}
    assert dispatch(["permissions", "forget", "Bash(pytest:*)"]) == 42
    assert "There are none." in capsys.readouterr().err
