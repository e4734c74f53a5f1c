"""A workspace that git would take for a repository by what lies in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qcode.sandbox.bare import names
from tests.sandbox.fences import outside_tmp, why_not

MAKES = (
    "git init -q --bare b; cp -r b/. . 2>/dev/null; rm -rf b; "
    "printf '[core]\\nrepositoryformatversion=0\\nbare=false\\nworktree=.\\nfsmonitor=./evil\\n'"
    " > config; printf '#!/bin/sh\\ntouch ran\\n' > evil; chmod +x evil"
)


def git(folder: Path, *words: str) -> None:
    subprocess.run(("git", *words), cwd=folder, check=True, capture_output=True)


def test_what_is_kept_depends_on_what_is_there(tmp_path: Path) -> None:
    assert names(tmp_path) == ("HEAD",)
    below = tmp_path / "work/below"
    below.mkdir(parents=True)
    git(tmp_path / "work", "init", "-q")
    assert names(tmp_path / "work") == ()
    assert names(below) == ()
    whole = tmp_path / "whole"
    git(tmp_path, "init", "-q", "--bare", str(whole))
    assert {"HEAD", "config", "hooks"} <= set(names(whole))


def test_a_git_folder_that_git_passes_over_changes_nothing(tmp_path: Path) -> None:
    work = tmp_path / "work"
    own = work / ".git"
    own.mkdir(parents=True)
    assert names(work) == ("HEAD",)
    (own / "objects").mkdir()
    (own / "refs").mkdir()
    for text, kept in (("x\n", ("HEAD",)), ("ref: refs/heads/main\n", ()), ("1" * 40, ())):
        (own / "HEAD").write_text(text)
        assert names(work) == kept
        asked = subprocess.run(["git", "rev-parse"], cwd=work, capture_output=True, timeout=60)
        assert (asked.returncode == 0) is (kept == ()), "as git has it"


def test_a_git_file_counts_whatever_it_says(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("x\n")
    assert names(tmp_path) == ()


@pytest.mark.parametrize("ahead", ["", "mkdir -p objects refs; "])
def test_no_command_makes_the_workspace_a_repository(ahead: str) -> None:
    if why := why_not():
        pytest.skip(why)
    with outside_tmp() as folder:
        run = (sys.executable, "-m", "qcode", "sandbox", "run", "--", "sh", "-c", ahead + MAKES)
        subprocess.run(run, cwd=folder, check=False, capture_output=True, timeout=60)
        assert (folder / "config").exists()
        asked = subprocess.run(["git", "status"], cwd=folder, capture_output=True, timeout=60)
        assert not (folder / "ran").exists()
        assert asked.returncode != 0 or b"evil" not in asked.stdout
        assert not os.path.lexists(folder / "HEAD")


def test_in_a_repository_nothing_stands_in_the_way_of_its_head() -> None:
    if why := why_not():
        pytest.skip(why)
    with outside_tmp() as folder:
        git(folder, "init", "-q")
        commit = "git -c user.name=A -c user.email=a@b.c commit -q --allow-empty -m x"
        line = f"{commit} && git diff HEAD && mkdir sub && cd sub && git log HEAD"
        run = (sys.executable, "-m", "qcode", "sandbox", "run", "--", "sh", "-c", line)
        done = subprocess.run(run, cwd=folder, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
