"""git commits where its repository lies outside of the workspace, and only in its own."""

import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from qcode.sandbox.base import Command
from qcode.sandbox.fence import Fence
from qcode.sandbox.fenced import FencedRunner
from qcode.sandbox.ground import Ground
from qcode.sandbox.landlock import Landlock
from qcode.sandbox.namespaces import Namespaces
from qcode.sandbox.repository import repositories
from qcode.sandbox.ruleset import NEEDED, abi
from tests.sandbox.fences import outside_tmp, why_not
from tests.sandbox.processes import until

Run = Callable[[Path, str], Awaitable[str]]

FENCES = [
    pytest.param(Namespaces, marks=pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")),
    pytest.param(
        Landlock,
        marks=pytest.mark.skipif(abi() < NEEDED, reason="this kernel's Landlock is too old"),
    ),
]
COMMIT = "echo x >>a && git add a && git commit -qm more && git log -1 --format=%s"


def git(folder: Path, *words: str) -> str:
    """What it prints, outside of the fence."""
    who = ("-c", "user.name=n", "-c", "user.email=e@x", "-c", "protocol.file.allow=always")
    line = ("git", "-C", str(folder), *who, *words)
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout


def repository(folder: Path) -> Path:
    """With a commit, a hook, and a name to commit by."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", "n")
    git(folder, "config", "user.email", "e@x")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    (folder / ".git/hooks").mkdir(exist_ok=True)
    (folder / ".git/hooks/post-commit").write_text("#!/bin/sh\n")
    (folder / ".git/hooks/post-commit").chmod(0o755)
    return folder


@pytest.fixture
def home() -> Iterator[Path]:
    with outside_tmp() as folder:
        yield folder


@pytest.fixture
def main(home: Path) -> Path:
    return repository(home / "main")


@pytest.fixture
def linked(home: Path, main: Path) -> Path:
    git(main, "worktree", "add", "-q", str(home / "linked"))
    return home / "linked"


@pytest.fixture(params=FENCES)
async def run(request: pytest.FixtureRequest, home: Path) -> AsyncIterator[Run]:
    """All that a command in a workspace prints, and its exit code."""
    make: Callable[[Ground], Fence] = request.param
    runners = []

    async def one(folder: Path, line: str) -> str:
        ground = Ground.of((folder,), (), (), {"HOME": str(home)})
        runners.append(FencedRunner(make(ground), home / "spill"))
        output = await runners[-1].run(Command(line, folder, 60), lambda _: None)
        return f"{output.head}{output.tail}[{output.why or output.exit_code}]"

    yield one
    for runner in runners:
        await runner.close()


async def test_in_a_linked_worktree(run: Run, main: Path, linked: Path) -> None:
    before = (main / ".git/HEAD").read_text()
    assert await run(linked, COMMIT) == "more\n[0]"
    assert git(linked, "log", "-1", "--format=%s", "linked") == "more\n"
    assert (main / ".git/HEAD").read_text() == before
    assert git(main, "fsck").strip() == ""


async def test_below_the_root_of_a_repository(run: Run, main: Path) -> None:
    below = main / "packages/one"
    below.mkdir(parents=True)
    assert await run(below, COMMIT) == "more\n[0]"
    await run(below, "echo x >../../outside; echo evil >../../.git/config")
    assert not (main / "outside").exists()
    assert git(main, "config", "user.name") == "n\n"


async def test_in_a_submodule(run: Run, home: Path, main: Path) -> None:
    repository(home / "part")
    git(main, "submodule", "--quiet", "add", str(home / "part"), "part")
    git(main / "part", "config", "user.name", "n")
    git(main / "part", "config", "user.email", "e@x")
    assert await run(main / "part", COMMIT) == "more\n[0]"


@pytest.mark.parametrize("name", ["config", "hooks/post-commit", "hooks/new", "commondir"])
async def test_what_git_runs_stays_as_it_is(run: Run, main: Path, linked: Path, name: str) -> None:
    path = main / ".git" / name
    before = path.read_text() if path.exists() else None
    await run(linked, f"echo evil >{path}; rm -rf {path.parent}; mv {path} {path}-away")
    assert await until(lambda: before is not None or not path.exists())
    assert before is None or path.read_text() == before


@pytest.mark.parametrize("name", ["commondir", "gitdir"])
async def test_a_worktree_is_not_turned_elsewhere(
    run: Run, main: Path, linked: Path, name: str
) -> None:
    path = main / ".git/worktrees/linked" / name
    before = path.read_text()
    await run(linked, f"echo /evil >{path}; rm -f {path}; mkdir {path}")
    assert path.read_text() == before
    assert await run(linked, "git status -s") == "[0]"


def test_a_git_file_alone_opens_no_repository(home: Path, main: Path, linked: Path) -> None:
    hostile = home / "hostile"
    hostile.mkdir()
    for led in (main / ".git", main / ".git/worktrees/linked", home / "nowhere", Path("/")):
        (hostile / ".git").write_text(f"gitdir: {led}\n")
        assert repositories(hostile) == ()
    (hostile / ".git").unlink()
    (hostile / ".git").symlink_to(linked / ".git")
    assert repositories(hostile) == ()
    (hostile / ".git").unlink()
    (hostile / ".git").write_text("gitdir: " + "x" * 9000)
    assert repositories(hostile) == ()
    assert len(repositories(linked)) == 2


def test_a_worktree_that_was_moved_opens_nothing(home: Path, linked: Path) -> None:
    linked.rename(home / "moved")
    assert repositories(home / "moved") == ()


def test_one_that_leads_to_another_repository_by_links_opens_nothing(
    home: Path, main: Path, linked: Path
) -> None:
    other = repository(home / "other")
    own = main / ".git/worktrees/linked"
    (own / "commondir").write_text(f"{other}/.git\n")
    assert repositories(linked) == ()
    (own / "commondir").write_text("../..\n")
    (main / ".git/objects").rename(home / "objects")
    (main / ".git/objects").symlink_to(home / "objects")
    assert repositories(linked) == ()


def test_an_ordinary_workspace_needs_nothing_else(home: Path, main: Path) -> None:
    assert repositories(main) == ()
    assert repositories(home) == ()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_parent_of_somebody_else_is_not_opened(main: Path) -> None:
    below = main / "below"
    below.mkdir()
    assert len(repositories(below)) == 1
    os.chown(main / ".git", 65534, 65534)
    assert repositories(below) == ()
