"""A repository that a command hides in the person's own is told before git is asked in it."""

import os
import subprocess
from pathlib import Path

import pytest

from qcode.engine.nested import Nested
from qcode.workspace.submodules import MOST


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def repository(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")
    return folder


@pytest.fixture
def top(tmp_path: Path) -> Path:
    made = repository(tmp_path / "top")
    (made / "a.txt").write_text("one\n")
    git(made, "add", "a.txt")
    return made


def test_one_whose_settings_name_a_program_is_told(top: Path) -> None:
    nested = Nested(top)
    assert nested.look() == ""
    repository(top / "sub")
    git(top, "add", "sub")
    assert nested.look() == ""  # settings as git makes them
    git(top / "sub", "config", "core.fsmonitor", "./evil")
    assert "sub became a repository" in nested.look()
    assert "core.fsmonitor" in nested.look()


def test_the_person_s_own_are_not_told_until_they_change(top: Path) -> None:
    repository(top / "sub")
    git(top / "sub", "config", "filter.lfs.clean", "git-lfs clean")
    git(top, "add", "sub")
    nested = Nested(top)
    assert nested.look() == ""
    git(top / "sub", "config", "filter.x.clean", "./evil")
    assert nested.look()


def test_a_submodule_as_git_adds_it_is_not_told(top: Path, tmp_path: Path) -> None:
    repository(tmp_path / "other")
    nested = Nested(top)
    git(top, "submodule", "add", "-q", str(tmp_path / "other"), "sub")
    assert nested.look() == ""
    git(top / "sub", "config", "diff.external", "./evil")
    assert "diff.external" in nested.look()


def test_without_a_repository_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert Nested(tmp_path).look() == ""


def test_a_time_that_was_set_back_hides_nothing(top: Path) -> None:
    repository(top / "sub")
    git(top, "add", "sub")
    nested, config = Nested(top), top / "sub" / ".git" / "config"
    assert nested.look() == ""
    was, text = config.stat(), config.read_text()
    evil = text.replace("filemode = true", "fsmonitor = ./e")
    assert len(evil) == len(text)
    config.write_text(evil)
    os.utime(config, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert "core.fsmonitor" in nested.look()


@pytest.mark.parametrize("around", ["a repository", "nothing"])
def test_a_workspace_that_became_one_by_what_lies_in_it_is_told(
    tmp_path: Path, around: str
) -> None:
    top = repository(tmp_path / "top") if around == "a repository" else tmp_path
    work = top / "work"
    work.mkdir()
    nested = Nested(work)
    assert nested.look() == ""
    git(work, "init", "-q", "--bare", ".")
    assert "work became a repository" in nested.look()
    text = (work / "config").read_text().replace("bare = true", "bare = false")
    (work / "config").write_text(f"{text}\tfsmonitor = ./evil\n")
    assert "core.fsmonitor" in nested.look()


def test_a_repository_without_a_folder_of_its_own_is_the_persons_where_it_was_one(
    tmp_path: Path,
) -> None:
    git(tmp_path, "init", "-q", "--bare", ".")
    assert Nested(tmp_path).look() == ""


def test_more_submodules_than_can_be_looked_at_are_told(top: Path) -> None:
    nested = Nested(top)
    lines = "".join(f"160000 {'1' * 40} 0\ts{number}\n" for number in range(MOST + 1))
    told = ["git", "update-index", "--index-info"]
    subprocess.run(told, cwd=top, input=lines.encode(), check=True, capture_output=True)
    assert "cannot be looked at" in nested.look()
    assert Nested(top).look() == "", "what stood there at the start is the person's"


def test_an_index_that_git_alone_can_read_is_told(top: Path) -> None:
    nested = Nested(top)
    index = b"DIRC\0\0\0\4\0\0\0\1" + bytes(24) + b"\0\0\x81\xa4" + bytes(34)
    (top / ".git/index").write_bytes(index + b"\xff" * 1_000_000 + b"\0a\0")
    assert "cannot be looked at" in nested.look()


JUNK: dict[str, dict[str, str]] = {"no head": {}, "a head that is none": {"HEAD": "x\n"}}


@pytest.mark.parametrize("junk", JUNK)
def test_a_folder_that_git_passes_over_hides_none_beside_it(tmp_path: Path, junk: str) -> None:
    made = tmp_path / ".git"
    (made / "objects").mkdir(parents=True)
    (made / "refs").mkdir()
    for name, text in JUNK[junk].items():
        (made / name).write_text(text)
    nested = Nested(tmp_path)
    for name in ("objects", "refs"):
        (tmp_path / name).mkdir()
    (tmp_path / "HEAD").write_text("ref: refs/heads/main\n")
    evil = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n"
    (tmp_path / "config").write_text(f"{evil}\tfsmonitor = touch ran; false\n")
    assert "core.fsmonitor" in nested.look()
    git(tmp_path, "status")
    assert (tmp_path / "ran").exists(), "git takes it"


def test_below_a_folder_that_git_passes_over_the_repository_around_is_looked_at(top: Path) -> None:
    (top / "work/.git").mkdir(parents=True)
    nested = Nested(top / "work")
    repository(top / "sub")
    git(top, "add", "sub")
    git(top / "sub", "config", "core.fsmonitor", "./evil")
    assert "core.fsmonitor" in nested.look()
