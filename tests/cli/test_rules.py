"""Rules that a person approves while a session runs."""

import sys
from pathlib import Path

import pytest

from qcode.cli.args import parse
from qcode.cli.opening import Session, start
from qcode.cli.permissions import main
from qcode.cli.rules import keep
from qcode.config.learned import file_of, learn, learned
from qcode.config.load import load, sources
from qcode.config.paths import paths
from qcode.protocol.errors import ConfigError


@pytest.mark.skipif(sys.platform == "win32", reason="links need privileges there")
def test_a_link_in_the_place_of_the_project_gives_no_other_one_its_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QCODE_HOME", str(tmp_path.resolve() / "home"))
    project, other = tmp_path.resolve() / "project", tmp_path.resolve() / "other"
    project.mkdir()
    other.mkdir()
    keep(project, ["Bash(ls:*)"])
    project.rename(tmp_path / "moved")
    project.symlink_to(other)
    with pytest.raises(ConfigError, match="leads elsewhere"):
        keep(project, ["Bash(pwd:*)"])
    assert learned(paths().state, other) == ()
    project.unlink()
    project.mkdir()
    assert learned(paths().state, project) == ("Bash(ls:*)",)


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ('{"folder": "FOLDER", "allow": ["Bash(ls:*)", "Dance(*)"]}', ["Bash(ls:*)"]),
        ('{"folder": "FOLDER", "allow": ["Bash(ls:*)"], "dances": 1}', ["Bash(ls:*)"]),
        ('{"folder": "FOLDER", "allow": 1}', []),
        ("<<<<<<< mine", []),
        ("", []),
    ],
)
def test_what_cannot_be_understood_of_the_approved_rules_is_told_and_the_rest_holds(
    text: str,
    held: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path.resolve() / "project"
    folder.mkdir()
    monkeypatch.setenv("QCODE_HOME", str(tmp_path.resolve() / "home"))
    monkeypatch.chdir(folder)
    learn(paths().state, folder, ["Bash(pwd:*)"])
    file = file_of(paths().state, folder)
    file.write_text(text.replace("FOLDER", str(folder)))
    loaded = load(sources(folder, {}))
    begun = start(parse([]), loaded, folder, Session(), "absent")
    assert [rule.text for rule in begun.rules] == held
    assert [str(file) in remark for remark in begun.remarks] == [True] * ("dances" not in text)
    assert main(["list"]) == 0
    assert bool(capsys.readouterr().err) == bool(begun.remarks)
