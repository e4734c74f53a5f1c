"""A repository is read as it was committed, and left as it is."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from qcode.bench.copies import Copies, compared, folder, state, take_over
from qcode.bench.repository import Changed, Repository, export, put
from qcode.bench.seed import begin
from qcode.bench.task import Swap, Task
from qcode.protocol.errors import InputError
from tests.benching.repos import GROSS, MESSAGE, SHOP, commit, git, print_of, shop


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """With work of a person in it that is not committed."""
    made = shop(tmp_path / "shop")
    (made / "shop.py").write_text("half done")
    (made / "notes.txt").write_text("mine")
    git(made, "add", "notes.txt")
    return made


def task(commit: str, **said: object) -> Task:
    return Task(id="t", kind="bug", title="", commit=commit, **said)  # type: ignore[arg-type]  # fields as the test has them


def test_what_was_committed_comes_out_and_nothing_changes(repo: Path, tmp_path: Path) -> None:
    before = print_of(repo)
    found = Repository.at(repo / "tests")
    assert found.top == repo
    assert found.message(found.head()) == MESSAGE
    assert len(found.commits(10)) == 1, "the first has no parent to go back to"
    target = tmp_path / "copy"
    target.mkdir()
    export(found, found.entries(found.head()), target)
    assert (target / "shop.py").read_text() == SHOP + GROSS
    assert not (target / "notes.txt").exists()
    assert print_of(repo) == before


def test_what_a_commit_changed_is_told_by_file(repo: Path) -> None:
    found = Repository.at(repo)
    assert found.changed(found.head()) == [
        Changed("shop.py", "M", 5),
        Changed("tests/test_shop.py", "M", 4),
    ]


def test_odd_files_come_out_as_they_are(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    (repo / "näme with\nline.bin").write_bytes(bytes(range(256)) * 20)
    (repo / "run.sh").write_text("#!/bin/sh\n")
    (repo / "run.sh").chmod(0o755)
    (repo / "link").symlink_to("/etc/hostname")
    (repo / ".gitattributes").write_text("*.bin filter=evil\n*.sh export-ignore\n")
    git(repo, "config", "filter.evil.smudge", f"touch {tmp_path / 'smudged'}")
    commit(repo, "odd", {"empty": ""})
    target = tmp_path / "copy"
    target.mkdir()
    found = Repository.at(repo)
    export(found, found.entries("HEAD"), target)
    assert (target / "näme with\nline.bin").read_bytes() == bytes(range(256)) * 20
    assert (target / "run.sh").stat().st_mode & 0o111
    assert (target / "link").is_symlink()
    assert (target / "empty").read_bytes() == b""
    assert not (tmp_path / "smudged").exists()


def test_a_tree_made_by_hand_writes_nothing_beside_the_copy(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    blob = bytes.fromhex(git(repo, "hash-object", "-w", "shop.py"))
    tree = b"".join(b"100644 %s\0%s" % (name, blob) for name in (b"..", b".git", b"fine"))
    line = ["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"]
    made = subprocess.run(line, cwd=repo, input=tree, capture_output=True, check=True)
    entries = Repository.at(repo).entries(made.stdout.decode().strip())
    assert [it.path for it in entries] == ["fine"]


def test_a_folder_that_became_a_link_is_not_written_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.py").write_text("mine")
    repo = shop(tmp_path / "shop")
    commit(repo, "a folder", {"way/new.py": "x = 1\n", "way/kept.py": "x = 1\n"})
    git(repo, "rm", "-q", "-r", "way")
    (repo / "way").symlink_to(outside)
    git(repo, "add", "way")
    git(repo, "commit", "-q", "-m", "a link")
    copies = Copies(Repository.at(repo))
    given = task(copies.repository.head(), reverted=("way/new.py", "way/kept.py"))
    with folder("copy") as place:
        copies.lay(given, place)
        assert (place / "way/new.py").read_text() == "x = 1\n"
        (place / "way/new.py").unlink()
        (place / "way/kept.py").unlink()
        (place / "way").rmdir()
        (place / "way").symlink_to(outside)  # as tests could
        copies.bring_back(given, place)
    assert [it.name for it in outside.iterdir()] == ["kept.py"]
    assert (outside / "kept.py").read_text() == "mine"


def test_a_bug_is_put_where_it_belongs_whatever_the_tests_have_made_there(tmp_path: Path) -> None:
    outside, copy = tmp_path / "outside", tmp_path / "copy"
    outside.mkdir()
    copy.mkdir()
    (outside / "a.py").write_text("mine")
    (copy / "link").symlink_to(outside)
    os.mkfifo(copy / "pipe.py")
    (copy / "folder.py/sub").mkdir(parents=True)
    for name in ("link/a.py", "link/b.py", "pipe.py", "folder.py"):
        put(copy, name, b"x = 1\n")
        assert (copy / name).read_text() == "x = 1\n"
    assert [(it.name, it.read_text()) for it in outside.iterdir()] == [("a.py", "mine")]


def test_what_prepared_a_copy_leaves_no_repository_that_runs_something(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for made in (copy, copy / "sub"):
        made.mkdir()
        git(made, "init", "-q")
        git(made, "commit", "-q", "--allow-empty", "-m", "x")
        git(made, "config", "core.fsmonitor", f"touch {tmp_path / 'ran'};:")
    (copy / "a.txt").write_text("a")
    begin(copy)
    assert not (tmp_path / "ran").exists()
    assert git(copy, "log", "--format=%s").split() == ["Begin"]


def test_no_repository_and_no_commit_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is in no git repository"):
        Repository.at(tmp_path)
    git(tmp_path, "init", "-q")
    with pytest.raises(InputError, match="has no commit yet"):
        Repository.at(tmp_path).head()


def test_a_copy_has_the_bug_or_lacks_the_commit(repo: Path) -> None:
    copies = Copies(Repository.at(repo))
    head = copies.repository.head()
    at = (SHOP + GROSS).index(" > 3") + 1
    with folder("one") as place:
        copies.lay(task(head, swap=Swap("shop.py", at, ">", ">=", "")), place)
        assert "items >= 3" in (place / "shop.py").read_text()
    with folder("two") as place:
        copies.lay(task(head, reverted=("shop.py",)), place)
        assert (place / "shop.py").read_text() == SHOP
        assert "test_gross" in (place / "tests/test_shop.py").read_text()


def test_a_file_that_the_commit_made_is_away(repo: Path) -> None:
    git(repo, "checkout", "-q", "-f", "main")
    head = commit(repo, "more", {"more.py": "x = 1\n"})
    with folder("copy") as place:
        Copies(Repository.at(repo)).lay(task(head, reverted=("more.py",)), place)
        assert not (place / "more.py").exists()


def test_the_copys_own_history_says_nothing_of_the_answer(repo: Path) -> None:
    copies = Copies(Repository.at(repo))
    with folder("copy") as place:
        copies.lay(task(copies.repository.head(), reverted=("shop.py",)), place)
        begin(place)
        assert git(place, "log", "--all", "--format=%s").split("\n") == ["Begin", ""]
        assert git(place, "status", "--porcelain") == ""
        names = git(place, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
        objects = [git(place, "show", "--format=%B", name) for name in names]
        assert any("def discount" in it for it in objects)
        assert not any("def gross" in it for it in objects)


def test_a_folder_is_gone_whatever_was_done_to_its_rights() -> None:
    with folder("copy") as place:
        (place / "deep" / "er").mkdir(parents=True)
        (place / "deep" / "er" / "file").write_text("x")
        (place / "deep" / "er").chmod(0)
        (place / "deep").chmod(0o500)
    assert not place.parent.exists()


def test_tests_that_an_agent_changed_are_not_taken_over(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for place in (old, new):
        (place / "tests").mkdir(parents=True)
        (place / "shop.py").write_text("a")
        (place / "gone.py").write_text("a")
        (place / "tests" / "test_shop.py").write_text("a")
    before = state(new, frozenset())
    (new / "shop.py").write_text("b")
    (new / "gone.py").unlink()
    (new / "tests" / "test_shop.py").write_text("pass")
    (new / "conftest.py").write_text("skip all")
    (new / "sitecustomize.py").write_text("exit")
    (new / "link.py").symlink_to("/etc/hostname")
    (new / "__pycache__").mkdir()
    (new / "__pycache__" / "shop.pyc").write_bytes(b"x")
    left = compared(before, state(new, frozenset()), task("HEAD"))
    assert left.counted == ("gone.py", "link.py", "shop.py")
    assert left.restored == ("conftest.py", "sitecustomize.py", "tests/test_shop.py")
    take_over(left.counted, new, old)
    assert (old / "shop.py").read_text() == "b"
    assert not (old / "gone.py").exists()
    assert (old / "link.py").is_symlink()
    assert (old / "tests" / "test_shop.py").read_text() == "a"
    assert not (old / "conftest.py").exists()


def test_what_an_agent_may_not_read_itself_is_looked_at_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.py", "sub/b.py"):
        (tmp_path / name).write_text(name)
    before = state(tmp_path, frozenset())
    (tmp_path / "a.py").chmod(0)
    (tmp_path / "sub").chmod(0)
    assert state(tmp_path, frozenset()) == before


def test_a_link_for_the_copy_itself_leads_nowhere(tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    aside.mkdir(mode=0o750)
    (aside / "mine.txt").write_text("mine")
    with folder("copy") as place:
        place.rmdir()
        assert state(place, frozenset()) == {}
        place.symlink_to(aside)
        assert state(place, frozenset()) == {}
        (place.parent / "aside").symlink_to(aside)
    assert stat.S_IMODE(aside.stat().st_mode) == 0o750
    assert (aside / "mine.txt").exists()


def test_a_link_for_a_folder_leads_nothing_out(tmp_path: Path) -> None:
    old, new, aside = tmp_path / "old", tmp_path / "new", tmp_path / "aside"
    for place in (old, new, aside):
        place.mkdir()
    (new / "sub").mkdir()
    (new / "sub" / "evil.py").write_text("x")
    (old / "sub").symlink_to(aside)
    take_over(("sub/evil.py",), new, old)
    assert list(aside.iterdir()) == []


def test_what_a_committed_link_leads_to_is_not_taken_away(tmp_path: Path) -> None:
    outside, old, new = (tmp_path / name for name in ("outside", "old", "new"))
    for made in (outside, old / "sub", new):
        made.mkdir(parents=True)
    (outside / "key").write_text("mine")
    (old / "sub/key").write_text("theirs")
    (new / "sub").symlink_to(outside)
    take_over(("sub/key",), old, new)
    assert (outside / "key").read_text() == "mine"
