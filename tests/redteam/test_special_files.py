"""A repository with pipes and devices where files are looked for holds nothing up."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from qcode.engine.repository import is_plain
from tests.redteam.attempts.absent import running
from tests.support.script import Reply
from tests.support.scripted_server import ScriptedServer

NAMES = (
    *("AGENTS.md", ".gitignore", ".gitattributes", ".gitmodules", "a.txt", ".qcode/config.toml"),
    *(".git/HEAD", ".git/config", ".git/index", ".git/commondir", ".git/info/exclude"),
    *(".git/packed-refs", ".git/config.worktree", ".git/description"),
)

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def planted(folder: Path, kind: str) -> Path:
    for name in ("objects", "refs", "info"):
        (folder / ".git" / name).mkdir(parents=True)
    for name in NAMES:
        (folder / name).parent.mkdir(exist_ok=True)
        (_pipe if kind == "pipe" else _device)(folder / name)
    return folder


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_session_runs_to_its_end(tmp_path: Path, kind: str) -> None:
    workspace = planted(tmp_path / "project", kind)
    with ScriptedServer(Reply(text="Hello.")) as server:
        process = running(workspace, "-p", "Hi", "--base-url", server.base_url)
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == 0, err
    assert out == b"Hello.\n"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["config", "index", "commondir"])
def test_nor_is_it_a_repository_in_which_git_is_asked_unasked(tmp_path: Path, name: str) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    assert is_plain(tmp_path)
    path = tmp_path / ".git" / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert not is_plain(tmp_path) or name == "commondir"
