"""Rules that were approved for a project: kept for its real path, in the user's state alone."""

import multiprocessing
import stat
import sys
from pathlib import Path

import pytest

from qcode.config.learned import OtherProject, file_of, forget, learn, learned
from qcode.protocol.errors import ConfigError
from tests.support.nobody import opened, without_privileges

ME = "git 1"


def test_what_is_learnt_is_there_the_next_time_once_and_in_order(tmp_path: Path) -> None:
    state, project = tmp_path / "state", tmp_path / "project"
    project.mkdir()
    assert learned(state, project, ME) == ()
    learn(state, project, ["Bash(pytest:*)", "Edit(/a.py)"], ME)
    learn(state, project, ["Bash(git status:*)", "Bash(pytest:*)"], ME)
    assert learned(state, project, ME) == ("Bash(pytest:*)", "Edit(/a.py)", "Bash(git status:*)")
    assert learned(state, tmp_path, ME) == ()
    assert list(project.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need privileges there, modes are others")
def test_the_real_path_counts_and_nobody_else_reads_it(tmp_path: Path) -> None:
    state, project = tmp_path / "state", tmp_path / "project"
    project.mkdir()
    (tmp_path / "link").symlink_to(project)
    learn(state, tmp_path / "link", ["Bash(ls:*)"], ME)
    assert learned(state, project, ME) == ("Bash(ls:*)",)
    file = file_of(state, project)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_rule_is_forgotten(tmp_path: Path) -> None:
    learn(tmp_path, tmp_path, ["Bash(ls:*)", "Bash(pwd:*)"], ME)
    assert forget(tmp_path, tmp_path, "Bash(ls:*)")
    assert not forget(tmp_path, tmp_path, "Bash(ls:*)")
    assert learned(tmp_path, tmp_path, ME) == ("Bash(pwd:*)",)


def test_another_project_at_the_same_place_has_none_of_the_rules(tmp_path: Path) -> None:
    learn(tmp_path, tmp_path, ["Bash(ls:*)"], ME)
    with pytest.raises(OtherProject):
        learned(tmp_path, tmp_path, "git 2")
    learn(tmp_path, tmp_path, ["Bash(pwd:*)"], "git 2")
    assert learned(tmp_path, tmp_path, "git 2") == ("Bash(pwd:*)",)
    with pytest.raises(OtherProject):
        learned(tmp_path, tmp_path, ME)


def test_a_file_that_is_none_of_ours_is_named(tmp_path: Path) -> None:
    file = file_of(tmp_path, tmp_path)
    file.parent.mkdir()
    file.write_text('{"folder": "x", "allow": "Bash"}')
    with pytest.raises(ConfigError, match=file.name):
        learned(tmp_path, tmp_path, ME)


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    state = opened(tmp_path) / "state"
    learn(state, tmp_path, ["Bash(ls:*)"], ME)
    state.joinpath("projects").chmod(0o555)
    try:
        with without_privileges(), pytest.raises(ConfigError):
            learn(state, tmp_path, ["Bash(pwd:*)"], ME)
    finally:
        state.joinpath("projects").chmod(0o700)
    assert learned(state, tmp_path, ME) == ("Bash(ls:*)",)


def _learn_some(state: Path, name: str) -> None:
    for number in range(20):
        learn(state, state, [f"Bash({name} {number})"], ME)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no lock there")
def test_two_runs_lose_no_rule_of_each_other(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    runs = [context.Process(target=_learn_some, args=(tmp_path, name)) for name in ("a", "b")]
    for run in runs:
        run.start()
    for run in runs:
        run.join(30)
        assert run.exitcode == 0
    assert len(learned(tmp_path, tmp_path, ME)) == 40
    assert not [path for path in (tmp_path / "projects").iterdir() if path.suffix == ".tmp"]
