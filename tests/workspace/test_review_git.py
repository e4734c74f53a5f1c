"""Changes of a real repository as files and hunks, and what may be done with single ones."""

import shutil
import subprocess
from pathlib import Path

import pytest

from qcode.protocol.errors import InputError
from qcode.workspace.gitactions import revert, stage, unstage
from qcode.workspace.gitdiff import Asked, file_changes
from qcode.workspace.patches import FileChange, hunks_of
from qcode.workspace.review import result

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git to ask")

NUMBERS = "".join(f"line {number}\n" for number in range(60))
THREE = {"\nline 10\n": "\nten\n", "\nline 30\n": "\n30\nmore\n", "\nline 50\n": "\n"}


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True
    )
    return done.stdout.decode("utf-8", "surrogateescape")


def three(text: str) -> str:
    for old, new in THREE.items():
        text = text.replace(old, new)
    return text


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "core.autocrlf", "false")
    (root / "a.txt").write_text(NUMBERS)
    (root / "crlf.txt").write_bytes(NUMBERS.replace("\n", "\r\n").encode())
    (root / "open.txt").write_bytes(b"one\ntwo")
    (root / "latin.txt").write_bytes(b"\xe4\n\xf6\n")
    (root / "bin").write_bytes(b"\0\1")
    (root / "gone.txt").write_text("was\n")
    (root / 'ü "q"\tt.txt').write_text("quoted\n")
    (root / "old name.txt").write_text(NUMBERS)
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    return root


async def the(root: Path, path: str, asked: Asked | None = None) -> FileChange:
    found = (await file_changes(root, asked or Asked())).files
    return next(change for change in found if change.path == path)


async def test_every_kind_of_change_is_told(root: Path) -> None:
    (root / "a.txt").write_text(three(NUMBERS))
    (root / "bin").write_bytes(b"\0\2")
    (root / "gone.txt").unlink()
    (root / 'ü "q"\tt.txt').write_text("other\n")
    git(root, "mv", "old name.txt", "new name.txt")
    (root / "new name.txt").write_text(NUMBERS + "end\n")
    (root / "open.txt").chmod(0o755)
    (root / "fresh.txt").write_text("a\nb")
    (root / "latin.txt").unlink()
    (root / "latin.txt").symlink_to("a.txt")
    found = {change.path: change for change in (await file_changes(root, Asked())).files}
    kinds = {path: change.kind for path, change in found.items()}
    assert kinds == {
        "a.txt": "modified",
        "bin": "binary",
        "fresh.txt": "new",
        "gone.txt": "deleted",
        "latin.txt": "modified",
        "new name.txt": "renamed",
        "open.txt": "mode",
        'ü "q"\tt.txt': "modified",
    }
    assert list(found) == sorted(found)
    assert len(found["a.txt"].hunks) == 3
    assert found["a.txt"].counts == (3, 3)
    assert found["new name.txt"].about == "renamed from old name.txt"
    assert found["open.txt"].about == "made executable"
    assert found["latin.txt"].about == "a symbolic link"
    assert (found["latin.txt"].hunks, found["bin"].hunks, found["open.txt"].hunks) == ((), (), ())
    assert found["fresh.txt"].hunks[0].new == ("a\n", "b")


async def test_staged_a_branch_and_a_folder_below(root: Path) -> None:
    git(root, "checkout", "-q", "-b", "work")
    (root / "sub").mkdir()
    (root / "sub/s.txt").write_text("s\n")
    (root / "a.txt").write_text(three(NUMBERS))
    git(root, "add", "sub")
    staged = (await file_changes(root, Asked("staged"))).files
    assert [change.path for change in staged] == ["sub/s.txt"]
    git(root, "commit", "-q", "-m", "second")
    since = (await file_changes(root, Asked("base", "main"))).files
    assert [change.path for change in since] == ["a.txt", "sub/s.txt"]
    (root / "sub/t.txt").write_text("t\n")
    inside = (await file_changes(root / "sub", Asked("base", "main"))).files
    assert [change.path for change in inside] == ["s.txt", "t.txt"]
    for wrong in ("nowhere", "--output=x", ""):
        with pytest.raises(InputError, match="no branch or commit"):
            await file_changes(root, Asked("base", wrong))


async def test_of_too_many_new_files_the_rest_is_told_as_a_number(root: Path) -> None:
    (root / "many").mkdir()
    for number in range(1_003):
        (root / f"many/{number:04}").write_text("n\n")
    (root / "a.txt").write_text(three(NUMBERS))
    found = await file_changes(root, Asked())
    assert (len(found.files), found.left_out) == (1_001, 3)
    assert found.files[0].path == "a.txt"
    assert (await file_changes(root, Asked("staged"))).left_out == 0


async def test_no_repository_and_no_commit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="in no git repository"):
        await file_changes(tmp_path, Asked())
    git(tmp_path, "init", "-q")
    assert (await file_changes(tmp_path, Asked())).files == ()
    (tmp_path / "a").write_text("a\n")
    git(tmp_path, "add", "a")
    (change,) = (await file_changes(tmp_path, Asked())).files
    assert change.kind == "new"
    assert change.staged == {0}


async def test_a_submodule_is_shown_whole_and_never_entered(root: Path, tmp_path: Path) -> None:
    inner = root / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    git(inner, "commit", "-q", "--allow-empty", "-m", "one")
    git(root, "add", "inner")
    git(root, "commit", "-q", "-m", "with a submodule")
    git(inner, "commit", "-q", "--allow-empty", "-m", "two")
    spy = tmp_path / "spy"
    spy.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    spy.chmod(0o755)
    git(inner, "config", "core.fsmonitor", str(spy))
    change = await the(root, "inner")
    assert (change.kind, change.hunks) == ("submodule", ())
    assert "+Subproject commit" in change.patch
    assert not (tmp_path / "ran").exists()


async def test_a_merge_conflict_is_told_once(root: Path) -> None:
    git(root, "checkout", "-q", "-b", "other")
    (root / "gone.txt").write_text("theirs\n")
    git(root, "commit", "-q", "-am", "theirs")
    git(root, "checkout", "-q", "main")
    (root / "gone.txt").write_text("ours\n")
    git(root, "commit", "-q", "-am", "ours")
    with pytest.raises(subprocess.CalledProcessError):
        git(root, "merge", "other")
    (change,) = (await file_changes(root, Asked())).files
    assert "+<<<<<<< HEAD\n" in change.patch
    assert len(change.hunks) == 1


@pytest.mark.parametrize("name", ["a.txt", "crlf.txt"])
async def test_single_hunks_are_taken_back_in_the_working_tree(root: Path, name: str) -> None:
    before = (root / name).read_bytes().decode()
    ends = "\r\n" if "\r\n" in before else "\n"
    (root / name).write_bytes(three(before.replace(ends, "\n")).replace("\n", ends).encode())
    change = await the(root, name)
    done = await revert(root, change, [0, 2])
    assert done.failed == {}
    expected = before.replace(f"{ends}line 30{ends}", f"{ends}30{ends}more{ends}")
    assert (root / name).read_bytes().decode() == expected
    assert three(before.replace(ends, "\n")).encode() == git(
        root, "cat-file", "-p", done.was
    ).encode().replace(ends.encode(), b"\n")
    assert (await revert(root, await the(root, name), [0])).failed == {}
    assert git(root, "status", "--porcelain") == ""


async def test_bytes_that_are_no_utf8_and_open_ends_survive(root: Path) -> None:
    (root / "latin.txt").write_bytes(b"\xe4\n\xf6\xf6\n")
    (root / "open.txt").write_bytes(b"one\ntwo\n")
    for name in ("latin.txt", "open.txt"):
        assert (await revert(root, await the(root, name), [0])).failed == {}
    assert git(root, "status", "--porcelain") == ""


async def test_line_ends_that_git_hides_are_kept(root: Path) -> None:
    git(root, "config", "core.autocrlf", "true")
    (root / "a.txt").write_bytes(three(NUMBERS).replace("\n", "\r\n").encode())
    change = await the(root, "a.txt")
    assert (await revert(root, change, [0, 1])).failed == {}
    data = (root / "a.txt").read_bytes()
    assert data == NUMBERS.replace("\nline 50\n", "\n").replace("\n", "\r\n").encode()


async def test_a_hunk_that_changed_meanwhile_is_left_alone(root: Path) -> None:
    (root / "a.txt").write_text(three(NUMBERS))
    change = await the(root, "a.txt")
    (root / "a.txt").write_text("above\n" + three(NUMBERS).replace("ten", "TEN"))
    done = await revert(root, change, [0, 1])
    assert done.failed == {0: "its lines near line 8 are not in the file any more"}
    left = (root / "a.txt").read_text()
    assert "TEN" in left
    assert "line 30\n" in left


async def test_a_new_file_goes_and_can_be_brought_back(root: Path) -> None:
    (root / "fresh.txt").write_text("precious\n")
    done = await revert(root, await the(root, "fresh.txt"), [0])
    assert not (root / "fresh.txt").exists()
    assert git(root, "cat-file", "-p", done.was) == "precious\n"


async def test_what_was_deleted_made_executable_or_is_binary_comes_back(root: Path) -> None:
    (root / "gone.txt").unlink()
    (root / "bin").write_bytes(b"\0\2")
    (root / "open.txt").chmod(0o755)
    for name in ("gone.txt", "bin", "open.txt"):
        assert (await revert(root, await the(root, name), [0])).failed == {}
    assert git(root, "status", "--porcelain") == ""


async def test_nothing_is_written_through_a_link(root: Path, tmp_path: Path) -> None:
    (root / "a.txt").write_text(three(NUMBERS))
    change = await the(root, "a.txt")
    outside = tmp_path / "outside"
    (root / "a.txt").rename(outside)
    (root / "a.txt").symlink_to(outside)
    done = await revert(root, change, [0])
    assert "symbolic link" in done.failed[0]
    assert outside.read_text() == three(NUMBERS)


async def test_single_hunks_are_staged_and_unstaged(root: Path) -> None:
    (root / "a.txt").write_text(three(NUMBERS))
    change = await the(root, "a.txt")
    assert (await stage(root, change, [1, 2])).failed == {}
    assert git(root, "show", ":a.txt") == NUMBERS.replace("\nline 30\n", "\n30\nmore\n").replace(
        "\nline 50\n", "\n"
    )
    assert (await the(root, "a.txt")).staged == {1, 2}
    assert (await stage(root, change, [1])).failed == {1: "it is staged already"}
    in_index = await the(root, "a.txt", Asked("staged"))
    assert (await unstage(root, in_index, [0])).failed == {}
    assert (await unstage(root, change, [2])).failed == {}
    assert git(root, "diff", "--cached") == ""
    assert (await unstage(root, change, [0])).failed == {0: "it is not staged"}
    assert (root / "a.txt").read_text() == three(NUMBERS)


@pytest.mark.parametrize("name", ["fresh one.txt", "gone.txt", "bin", 'ü "q"\tt.txt', "open.txt"])
async def test_whole_files_are_staged_and_unstaged(root: Path, name: str) -> None:
    if name == "gone.txt":
        (root / name).unlink()
    else:
        (root / name).write_bytes(b"\0\2" if name == "bin" else b"one\nnew")
    change = await the(root, name)
    assert (await stage(root, change, [0])).failed == {}
    assert git(root, "diff", "--name-only") == ""
    assert git(root, "diff", "--cached", "--name-only", "-z") == f"{name}\0"
    assert (await unstage(root, change, [0])).failed == {}
    assert git(root, "diff", "--cached", "--name-only") == ""


async def test_from_a_folder_below_the_right_file_is_staged(root: Path) -> None:
    (root / "sub").mkdir()
    (root / "sub/a.txt").write_text(NUMBERS)
    git(root, "add", "sub")
    git(root, "commit", "-q", "-m", "sub")
    (root / "sub/a.txt").write_text(three(NUMBERS))
    (root / "a.txt").write_text(three(NUMBERS))
    change = await the(root / "sub", "a.txt")
    assert (await stage(root / "sub", change, [0])).failed == {}
    assert git(root, "diff", "--cached", "--name-only") == "sub/a.txt\n"
    assert (await revert(root / "sub", change, [0, 1, 2])).failed == {}
    assert (root / "sub/a.txt").read_text() == NUMBERS
    assert (root / "a.txt").read_text() == three(NUMBERS)


async def test_files_behind_a_filter_are_left_to_git(root: Path, tmp_path: Path) -> None:
    (root / ".gitattributes").write_text("*.txt filter=evil\n")
    git(root, "config", "filter.evil.clean", f"touch {tmp_path}/ran; cat")
    (root / "a.txt").write_text(three(NUMBERS))
    change = await the(root, "a.txt")
    done = await stage(root, change, [0])
    assert done.failed == {0: "a.txt goes through the filter 'evil'. Use git itself for it."}
    assert not (tmp_path / "ran").exists()


async def test_a_patch_of_git_is_read_to_the_byte(root: Path) -> None:
    before = (root / "crlf.txt").read_bytes().decode()
    after = three(before.replace("\r\n", "\n")).replace("\n", "\r\n")[:-2]
    (root / "crlf.txt").write_bytes(after.encode())
    change = await the(root, "crlf.txt")
    assert result(before, change.hunks, {}) == after
    assert hunks_of(change.patch) == change.hunks
