"""What git says, and that asking it runs nothing of the repository's."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from qcode.workspace.git import branch, changes, diff

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git to ask")


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True)


def fill_index(folder: Path, files: int) -> None:
    """Entries in the index for files that are not there."""
    rows = "".join(f"100644 {'1' * 40} 0\tfolder/number/{n:020}\n" for n in range(files))
    add = ["git", "-C", str(folder), "update-index", "--index-info"]
    subprocess.run(add, input=rows, text=True, check=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "a.txt").write_text("one\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    return root


async def test_branch_and_changes_are_told(repository: Path) -> None:
    (repository / "sub").mkdir()
    assert branch(repository / "sub") == "main"
    assert await changes(repository) == ""
    (repository / "a.txt").write_text("two\n")
    (repository / "new file.txt").write_text("")
    assert await changes(repository / "sub") == " M a.txt\n?? new file.txt"
    patch = await diff(repository)
    assert patch is not None
    assert "-one\n+two\n" in patch
    git(repository, "checkout", "-q", "--detach")
    assert branch(repository).startswith("detached at ")


async def test_only_the_first_changes_are_told(repository: Path) -> None:
    for number in range(14):
        (repository / f"{number:02}").write_text("")
    told = await changes(repository)
    assert told is not None
    assert told.endswith("?? 09\nand 4 more")


async def test_a_repository_without_commits_has_a_diff(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "fresh")
    (tmp_path / "a").write_text("one\n")
    git(tmp_path, "add", "a")
    assert branch(tmp_path) == "fresh"
    assert "+one" in (await diff(tmp_path) or "")


async def test_without_a_repository_or_git_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Path
) -> None:
    (tmp_path / "plain").mkdir()
    assert branch(tmp_path / "plain") == ""
    assert await changes(tmp_path / "plain") is None
    (tmp_path / "plain/.git").write_text("gitdir: nowhere\n")
    assert branch(tmp_path / "plain") == ""
    assert await changes(tmp_path / "plain") is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert branch(repository) == "main"
    assert await changes(repository) is None
    assert await diff(repository) is None


async def test_asking_runs_no_program_of_the_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = tmp_path / "spy"
    spy.write_text(f'#!/bin/sh\ntouch "{tmp_path}/ran-$1"\ncat\n')
    spy.chmod(0o755)
    (repository / ".gitattributes").write_text("*.txt filter=evil diff=evil\n*.md filter=long\n")
    (repository / "b.md").write_text("one\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "second")
    for name, value in {
        "core.fsmonitor": f"{spy} monitor",
        "core.pager": f"{spy} pager",
        "core.sshCommand": f"{spy} ssh",
        "diff.external": f"{spy} external",
        "diff.evil.command": f"{spy} command",
        "diff.evil.textconv": f"{spy} textconv",
        "filter.evil.clean": f"{spy} clean",
        "filter.evil.smudge": f"{spy} smudge",
        "filter.evil.required": "true",
        "filter.long.process": f"{spy} process",
    }.items():
        git(repository, "config", name, value)
    hooks = repository / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    shutil.copy(spy, hooks / "post-index-change")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", f"{spy} environment")
    (repository / "a.txt").write_text("two\n")
    (repository / "b.md").write_text("two\n")
    assert await changes(repository) == " M a.txt\n M b.md"
    assert "+two" in (await diff(repository) or "")
    assert branch(repository) == "main"
    assert not list(tmp_path.glob("ran-*"))


async def test_a_filter_that_cannot_be_switched_off_stops_the_question(
    repository: Path, tmp_path: Path
) -> None:
    config = repository / ".git/config"
    config.write_text(config.read_text() + f'[filter "a=b"]\n\tclean = touch {tmp_path}/ran\n')
    (repository / ".gitattributes").write_text("* filter=a=b\n")
    (repository / "a.txt").write_text("two\n")
    assert await changes(repository) is None
    assert not (tmp_path / "ran").exists()


async def test_a_slow_git_is_not_waited_for(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "bin/git"
    slow.parent.mkdir()
    slow.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    loop = asyncio.get_running_loop()
    start = loop.time()
    assert await changes(repository, 1.0) is None
    assert loop.time() - start < 10
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_a_repository_that_would_keep_a_person_waiting_is_not_asked(
    repository: Path,
) -> None:
    fill_index(repository, 25_000)
    assert await changes(repository) is None
    assert branch(repository) == "main"
    git(repository, "reset", "-q")
    assert await changes(repository) == ""
