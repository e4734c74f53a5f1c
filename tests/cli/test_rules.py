"""Rules that a person approves while a session runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from qcode.cli.args import parse
from qcode.cli.identity import identity
from qcode.cli.opening import Session, start
from qcode.cli.permissions import main
from qcode.cli.rules import keep
from qcode.config.learned import file_of, learned
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
    assert learned(paths().state, other, identity(other)) == ()
    project.unlink()
    (tmp_path / "moved").rename(project)
    assert learned(paths().state, project, identity(project)) == ("Bash(ls:*)",)


@pytest.mark.parametrize(
    ("text", "held"),
    [
        (
            '{HEAD, "allow": ["Bash(ls:*)", "Dance(*)"]}',
            ["Bash(ls:*)"],
        ),
        (
            '{HEAD, "allow": ["Bash(ls:*)"], "dances": 1}',
            ["Bash(ls:*)"],
        ),
        ('{HEAD, "allow": 1}', []),
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
    keep(folder, ["Bash(pwd:*)"])
    file = file_of(paths().state, folder)
    head = f'"folder": "{folder}", "identity": "{identity(folder)}"'
    file.write_text(text.replace("HEAD", head))
    loaded = load(sources())
    begun = start(parse([]), loaded, folder, Session(), "absent")
    assert [rule.text for rule in begun.rules] == held
    assert [str(file) in remark for remark in begun.remarks] == [True] * ("dances" not in text)
    assert main(["list"]) == 0
    assert bool(capsys.readouterr().err) == bool(begun.remarks)


def git(folder: Path, *arguments: str) -> None:
    """Without anything of the person's."""
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def repository(folder: Path) -> None:
    """A new one, with a commit."""
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")


def approved(folder: Path) -> tuple[list[str], int]:
    """The rules with which an engine begins there, and how many remarks."""
    begun = start(parse([]), load(sources()), folder, Session(), "absent")
    return [rule.text for rule in begun.rules], len(begun.remarks)


def test_a_repository_in_the_place_of_another_inherits_none_of_its_rules(
    tmp_path: Path,
) -> None:
    project = tmp_path.resolve() / "project"
    repository(project)
    keep(project, ["Bash(make:*)"])
    git(project, "commit", "-q", "--allow-empty", "-m", "more")
    assert approved(project) == (["Bash(make:*)"], 0)
    git(project, "worktree", "add", "-q", str(tmp_path / "tree"))
    assert identity(tmp_path / "tree") == identity(project)
    project.rename(tmp_path / "elsewhere")
    repository(project)
    assert approved(project) == ([], 1)
    assert approved(project) == ([], 0)  # told once
    keep(project, ["Bash(make:*)"])
    assert approved(project) == (["Bash(make:*)"], 0)


def test_a_folder_in_the_place_of_another_inherits_none_of_its_rules(tmp_path: Path) -> None:
    project = tmp_path.resolve() / "project"
    project.mkdir()
    keep(project, ["Bash(make:*)"])
    (project / "a").write_text("x")
    assert approved(project) == (["Bash(make:*)"], 0)
    project.rename(tmp_path / "elsewhere")  # so that its number is not given again
    project.mkdir()
    assert approved(project) == ([], 1)
