"""The demo's project: red as it is made, green after the one right change."""

import os
import subprocess
from pathlib import Path

import pytest

from qcode.demo import project
from qcode.demo.script import AFTER, BEFORE
from qcode.protocol.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project.write(tmp_path)
    return tmp_path


def fix(folder: Path) -> None:
    stay = folder / "hotel" / "stay.py"
    text = stay.read_text()
    assert text.count(BEFORE) == 1
    stay.write_text(text.replace(BEFORE, AFTER))


def test_exactly_one_test_fails_and_it_names_the_day_of_departure(folder: Path) -> None:
    ran = project.run_tests(folder)
    assert ran.exit_code == 1
    assert "FAILED (errors=1)" in ran.output
    assert "test_a_room_is_free_again_on_the_day_of_departure" in ran.output


def test_the_scripted_edit_turns_the_tests_green(folder: Path) -> None:
    fix(folder)
    ran = project.run_tests(folder)
    assert (ran.exit_code, ran.output.splitlines()[-1]) == (0, "OK")


def test_the_project_is_one_clean_commit(folder: Path) -> None:
    def git(*arguments: str) -> str:
        return subprocess.check_output(("git", *arguments), cwd=folder, text=True)

    assert git("rev-list", "--count", "HEAD").strip() == "1"
    project.run_tests(folder)  # leaves byte code behind, which git must not see
    assert git("status", "--porcelain") == ""


def test_the_diff_shows_changed_and_new_files(folder: Path) -> None:
    fix(folder)
    (folder / "notes.txt").write_text("seen\n")
    shown = project.diff(folder)
    assert f"-        {BEFORE}" in shown
    assert f"+        {AFTER}" in shown
    assert "+seen" in shown


def test_a_deleted_test_is_told_and_put_back(folder: Path) -> None:
    (folder / "tests" / "test_rooms.py").unlink()
    assert project.run_tests(folder).exit_code == 0  # that is why the driver puts it back
    assert project.changed_tests(folder).split() == ["tests/test_rooms.py"]
    project.put_tests_back(folder)
    assert project.run_tests(folder).exit_code == 1


def test_a_person_who_signs_commits_and_has_hooks_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(f"[core]\nhooksPath = {hooks}\n[commit]\ngpgsign = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    (tmp_path / "project").mkdir()
    project.write(tmp_path / "project")
    assert not (tmp_path / "elsewhere").exists()


def test_without_git_the_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"needs git.*Install git"):
        project.write(tmp_path)


def test_a_folder_that_cannot_be_a_repository_is_named(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("not a repository" + os.linesep)
    with pytest.raises(InputError, match=str(tmp_path)):
        project.write(tmp_path)
