"""What a fence could not prevent is found out and undone."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from qcode.sandbox import placeholders
from qcode.sandbox.ground import Ground
from qcode.sandbox.watch import Watch

Deed = Callable[[Path], object]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with some protected names and without others."""
    folder = tmp_path / "project"
    for name in (".git/config", ".git/hooks/pre-commit", ".github/workflows/ci.yml", ".envrc"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{name}\n")
    (folder / ".git/hooks/pre-commit").chmod(0o755)
    (folder / ".vscode").symlink_to(tmp_path / "settings")
    return folder


@pytest.fixture
def watch(root: Path, tmp_path: Path) -> Watch:
    return Watch(Ground.of((root,), (), (), {"HOME": str(tmp_path)}))


def picture(folder: Path) -> dict[str, tuple[int, str]]:
    """Names, rights and contents of all that lies there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        text = str(path.readlink()) if path.is_symlink() else ""
        if path.is_file() and not path.is_symlink():
            text = path.read_text()
        found[str(path.relative_to(folder))] = (path.lstat().st_mode, text)
    return found


def after(watch: Watch, deed: Deed) -> tuple[str, ...]:
    watch.begin()
    deed(watch.ground.writable[0])
    return watch.end()


def write(name: str, text: str = "evil") -> Deed:
    def deed(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)

    return deed


def test_what_stands_in_for_another_fence_is_neither_found_nor_put_back(
    root: Path, watch: Watch
) -> None:
    """It goes with the other command, in the middle of this one; a thing of it that stays is not
    known as one any more, and each fence after that has one bind more."""
    held = placeholders.hold(root)
    placeholders.place(held, (".mcp.json", ".idea"))
    os.close(held)
    assert after(watch, placeholders.sweep) == ()
    assert not (root / ".idea").exists()

    def place(folder: Path) -> None:
        other = placeholders.hold(folder)
        placeholders.place(other, (".mcp.json", ".idea"))
        os.close(other)
        (folder / ".mcp.json").chmod(0o755)
        (folder / ".mcp.json/x").write_text("evil")
        os.utime(folder / ".mcp.json", (placeholders.MARK_SECONDS, placeholders.MARK_SECONDS))

    [said] = after(watch, place)
    assert ".mcp.json" in said
    assert ".idea" not in said
    assert (root / ".idea").is_dir(), "it is the other one's"
    assert not (root / ".mcp.json").exists(), "the same mark, and something in it"


def link(name: str, to: str) -> Deed:
    def deed(root: Path) -> None:
        path = root / name
        shutil.rmtree(path, ignore_errors=True)
        path.unlink(missing_ok=True)
        path.symlink_to(to)

    return deed


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        (write(".git/config"), ".git/config was changed"),
        (write(".git/config", ".git/config\n" * 2), ".git/config was changed"),
        (write(".git/hooks/post-merge"), ".git/hooks was changed"),
        (lambda root: (root / ".git/hooks/pre-commit").chmod(0o644), ".git/hooks was changed"),
        (lambda root: (root / ".git/hooks/pre-commit").unlink(), ".git/hooks was changed"),
        (lambda root: shutil.rmtree(root / ".git/hooks"), ".git/hooks was removed"),
        (lambda root: shutil.rmtree(root / ".github"), ".github/workflows was removed"),
        (lambda root: (root / ".envrc").unlink(), ".envrc was removed"),
        (link(".envrc", "other"), ".envrc was changed"),
        (link(".vscode", "evil"), ".vscode was changed"),
        (link(".git/hooks", "../evil"), ".git/hooks was changed"),
        (lambda root: os.mkfifo(root / ".exrc"), ".exrc was made"),
    ],
)
def test_a_protected_name_is_put_back(root: Path, watch: Watch, deed: Deed, said: str) -> None:
    before = picture(root)
    notes = after(watch, deed)
    assert picture(root) == before
    assert any(note.startswith(said) and "undone" in note for note in notes), notes
    assert watch.tripped == notes[0]


@pytest.mark.parametrize("name", [".mcp.json", ".claude/settings.json", ".git/commondir"])
def test_one_that_was_missing_is_taken_away(root: Path, watch: Watch, name: str) -> None:
    before = picture(root)
    (note,) = after(watch, write(name))
    assert " was made by a command" in note
    assert picture(root) == before


def test_a_link_in_place_of_a_folder_leads_nothing_astray(root: Path, watch: Watch) -> None:
    elsewhere = root.parent / "elsewhere"
    (elsewhere / "workflows").mkdir(parents=True)
    (elsewhere / "workflows" / "ci.yml").write_text("theirs")
    before = picture(root)
    assert after(watch, link(".github", str(elsewhere)))
    assert picture(root) == before
    assert (elsewhere / "workflows" / "ci.yml").read_text() == "theirs"


def test_ordinary_work_trips_nothing(root: Path, watch: Watch) -> None:
    def work(folder: Path) -> None:
        (folder / "src").mkdir()
        (folder / "src/a.py").write_text("x")
        (folder / ".git/index").write_text("x")
        (folder / ".npmrc").write_text("only protected where it was")
        (folder / ".github/dependabot.yml").write_text("x")
        os.utime(folder / ".envrc")
        (folder / ".git/config").write_text(".git/config\n")  # the same words

    assert after(watch, work) == ()
    assert watch.tripped == ""


def test_what_the_person_changes_between_commands_stays(root: Path, watch: Watch) -> None:
    assert after(watch, write("a")) == ()
    (root / ".mcp.json").write_text("mine")
    assert after(watch, write("b")) == ()
    assert (root / ".mcp.json").read_text() == "mine"


def test_while_a_job_runs_the_first_state_counts(root: Path, watch: Watch) -> None:
    watch.begin()
    write(".mcp.json")(root)
    assert after(watch, write("a"))
    assert not (root / ".mcp.json").exists()
    assert watch.end() == ()


def test_what_is_too_large_to_be_kept_is_told(root: Path, watch: Watch) -> None:
    large = root / ".mcp.json"
    with large.open("wb") as file:
        file.truncate(33_000_000)
    (note,) = after(watch, write(".mcp.json"))
    assert "could not be put back" in note
    assert after(watch, write("a")) == ()


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_not_taken_for_missing(root: Path, watch: Watch) -> None:
    for name in (".mcp.json", ".idea"):
        (root / name).mkdir() if name == ".idea" else (root / name).write_text("mine")
        (root / name).chmod(0)

    def open_both(folder: Path) -> None:
        for name in (".mcp.json", ".idea"):
            (folder / name).chmod(0o700)

    notes = after(watch, open_both)
    assert len(notes) == 2
    assert all("could not be put back" in note for note in notes)
    assert (root / ".mcp.json").read_text() == "mine"


def test_git_makes_worktrees_and_cannot_turn_one_elsewhere(root: Path, watch: Watch) -> None:
    shutil.rmtree(root / ".git")
    line = "git init -q && git -c user.name=n -c user.email=e@x commit -q --allow-empty -m x"
    subprocess.run(line, shell=True, cwd=root, check=True)
    add = ("git", "worktree", "add", "-q", "../second")
    assert after(watch, lambda folder: subprocess.run(add, cwd=folder, check=True)) == ()
    (note,) = after(watch, write(".git/worktrees/second/commondir"))
    assert note.startswith(".git/worktrees/second/commondir was changed")
    assert (root / ".git/worktrees/second/commondir").read_text() == "../..\n"
