"""Files are kept before they change, and come back as they were."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from tests.workspace.trees import Driver, git, tree


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text("one\n")
    (folder / "src" / "run.sh").write_text("#!/bin/sh\n")
    (folder / "src" / "run.sh").chmod(0o755)
    (folder / "src" / "link").symlink_to("a.py")
    (folder / "notes.bin").write_bytes(bytes(range(256)))
    return folder


@pytest.fixture
def driver(root: Path, tmp_path: Path) -> Driver:
    return Driver(root, tmp_path / "store")


def _repository(root: Path) -> None:
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "all")


def test_an_edit_is_taken_back_and_made_again(root: Path, driver: Driver) -> None:
    before = tree(root)
    driver.edit("src/a.py", lambda: (root / "src" / "a.py").write_text("two\n"))
    after = tree(root)
    back = driver.undo()
    assert back is not None
    assert (back.done, back.left) == (("src/a.py",), {})
    assert tree(root) == before
    driver.redo()
    assert tree(root) == after


def test_a_new_file_in_new_folders_goes_with_its_folders(root: Path, driver: Driver) -> None:
    before = tree(root)

    def write() -> None:
        (root / "x" / "y").mkdir(parents=True)
        (root / "x" / "y" / "new").write_text("here")

    driver.edit("x/y/new", write)
    after = tree(root)
    driver.undo()
    assert tree(root) == before
    driver.redo()
    assert tree(root) == after


@pytest.mark.parametrize("tracked", [True, False], ids=["in git", "without git"])
def test_a_folder_that_a_command_removed_comes_back(
    root: Path, driver: Driver, *, tracked: bool
) -> None:
    if tracked:
        _repository(root)
        (root / "src" / "a.py").write_text("dirty\n")
        (root / "src" / "untracked").write_text("new\n")
    (root / "src" / "empty").mkdir(mode=0o750)
    before = tree(root)
    driver.shell("rm -rf src")
    assert not (root / "src").exists()
    back = driver.undo()
    assert back is not None
    assert back.left == {}
    assert tree(root) == before
    driver.redo()
    assert not (root / "src").exists()


def test_git_is_left_alone(root: Path, driver: Driver) -> None:
    _repository(root)
    (root / "src" / "a.py").write_text("dirty\n")
    own = {path: path.read_bytes() for path in (root / ".git").rglob("*") if path.is_file()}
    driver.shell("rm -rf src")
    driver.undo()
    assert own == {path: path.read_bytes() for path in (root / ".git").rglob("*") if path.is_file()}


def test_files_with_line_ends_of_windows_come_back_from_git_as_they_were(
    root: Path, driver: Driver
) -> None:
    (root / ".gitattributes").write_text("*.txt text eol=crlf\n")
    (root / "dos.txt").write_bytes(b"one\r\ntwo\r\n")
    _repository(root)
    driver.shell("rm dos.txt")
    driver.undo()
    assert (root / "dos.txt").read_bytes() == b"one\r\ntwo\r\n"


def test_a_tracked_file_that_git_would_ignore_is_covered(root: Path, driver: Driver) -> None:
    (root / "kept.log").write_text("mine\n")
    _repository(root)
    (root / ".gitignore").write_text("*.log\nbuild/\n")
    (root / "build").mkdir()
    (root / "build" / "out").write_text("made")
    driver.shell("rm -rf kept.log build")
    back = driver.undo()
    assert back is not None
    assert back.done == ("kept.log",)
    assert (root / "kept.log").read_text() == "mine\n"
    assert not (root / "build").exists()  # what git ignores is not covered


def test_what_the_person_changed_since_stays(root: Path, driver: Driver) -> None:
    driver.shell("echo two > src/a.py; echo two > notes.bin")
    (root / "src" / "a.py").write_text("mine\n")
    back = driver.undo()
    assert back is not None
    assert back.done == ("notes.bin",)
    assert back.left == {"src/a.py": "it was changed since"}
    assert (root / "src" / "a.py").read_text() == "mine\n"
    assert (root / "notes.bin").read_bytes() == bytes(range(256))


def test_it_goes_back_to_the_persons_change_between_two_commands(
    root: Path, driver: Driver
) -> None:
    driver.shell("echo two > src/a.py")
    (root / "src" / "a.py").write_text("mine\n")
    driver.shell("rm -r src")
    driver.undo()
    assert (root / "src" / "a.py").read_text() == "mine\n"


def test_a_large_file_is_named_and_never_lost_by_going_back(root: Path, driver: Driver) -> None:
    with (root / "large").open("wb") as file:
        file.truncate(9 * 1024 * 1024)
    driver.shell("echo made > small; cp large other")
    assert driver.keeper.uncovered == dict.fromkeys(("large", "other"), 9 * 1024 * 1024)
    back = driver.undo()
    assert back is not None
    assert back.done == ("small",)
    assert back.left == {"other": "it is too large to be kept, or cannot be read"}
    assert (root / "other").exists()


def test_no_link_is_followed(root: Path, driver: Driver, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.py").write_text("not ours\n")
    driver.shell("echo two > src/a.py")
    shutil.move(root / "src", tmp_path / "moved")
    (root / "src").symlink_to(outside)
    back = driver.undo()
    assert back is not None
    assert list(back.left) == ["src/a.py"]
    assert (outside / "a.py").read_text() == "not ours\n"


def test_hard_links_stay_one_file(root: Path, driver: Driver) -> None:
    os.link(root / "src" / "a.py", root / "twin")
    driver.edit("src/a.py", lambda: (root / "src" / "a.py").write_text("two\n"))
    driver.undo()
    assert (root / "twin").read_text() == "one\n"
    assert (root / "twin").stat().st_ino == (root / "src" / "a.py").stat().st_ino


def test_turns_go_back_one_by_one_and_a_new_change_forgets_what_was_undone(
    root: Path, driver: Driver
) -> None:
    states = [tree(root)]
    for driver.turn in (1, 2, 3):
        driver.shell(f"echo {driver.turn} > src/a.py; echo > new{driver.turn}")
        driver.edit("src/run.sh", lambda: (root / "src" / "run.sh").write_text(f"{driver.turn}"))
        states.append(tree(root))
    for state in reversed(states[:-1]):
        driver.undo()
        assert tree(root) == state
    assert driver.undo() is None
    for state in states[1:3]:
        driver.redo()
        assert tree(root) == state
    driver.turn = 4
    driver.shell("echo other > src/a.py")
    assert driver.redo() is None
    driver.undo()
    assert tree(root) == states[2]


def test_it_goes_on_in_a_new_process_by_the_ids_alone(
    root: Path, driver: Driver, tmp_path: Path
) -> None:
    before = tree(root)
    driver.shell("rm -r src; mkdir src; echo new > src/b")
    after = tree(root)
    driver.undo()
    other = Driver(root, tmp_path / "store", driver.ids)
    other.redo()
    assert tree(root) == after
    third = Driver(root, tmp_path / "store", other.ids)
    third.undo()
    assert tree(root) == before


def test_an_edit_that_was_cut_off_can_be_taken_back(root: Path, driver: Driver) -> None:
    note = driver.keeper.keep([root / "src" / "a.py"], 1)
    (root / "src" / "a.py").write_text("half")  # and the process is killed: nothing settles it
    driver.ids.append(note.id)
    driver.undo()
    assert (root / "src" / "a.py").read_text() == "one\n"
    driver.redo()
    assert (root / "src" / "a.py").read_text() == "half"


def test_a_call_that_changed_nothing_is_no_change(root: Path, driver: Driver) -> None:
    driver.turn = 1
    driver.shell("echo two > src/a.py")
    driver.turn = 2
    driver.edit("src/a.py", lambda: None)
    assert driver.shell("touch src/a.py; chmod 644 src/a.py") is None
    driver.undo()
    assert (root / "src" / "a.py").read_text() == "one\n"


def test_the_store_is_for_its_owner_only(root: Path, driver: Driver, tmp_path: Path) -> None:
    driver.shell("rm -r src")
    for path in (tmp_path / "store").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_names_that_are_no_text_are_kept(root: Path, driver: Driver) -> None:
    name = os.fsencode(root) + b"/\xff\n\xfe"
    with open(name, "wb") as file:  # noqa: PTH123 - bytes
        file.write(b"odd")
    before = tree(root)
    driver.shell("rm -rf ./*")
    driver.undo()
    assert tree(root) == before


def test_an_env_file_comes_back_though_git_ignores_it(root: Path, driver: Driver) -> None:
    _repository(root)
    (root / ".gitignore").write_text(".env*\n*.o\nbuild/\n")
    for name in (".env", "src/.env.local", "src/a.o"):
        (root / name).write_text(f"KEY={name}\n")
    before = tree(root)
    driver.shell("rm -f .env src/.env.local src/a.o")
    back = driver.undo()
    assert back is not None
    assert back.done == (".env", "src/.env.local")
    assert {*before} - {*tree(root)} == {"src/a.o"}


def test_a_submodule_is_one_again(root: Path, driver: Driver, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "x").write_text("x\n")
    _repository(other)
    _repository(root)
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "lib")
    driver.shell("true")
    (root / "lib" / "x").write_text("mine\n")
    before = tree(root)
    driver.shell("rm -rf lib")
    driver.undo()
    assert tree(root) == before
    assert driver.keeper.repositories == ()


def test_repositories_below_are_named_since_their_history_is_not_kept(
    root: Path, driver: Driver
) -> None:
    _repository(root / "src")
    driver.shell("true")
    assert driver.keeper.repositories == ("src/.git",)
