"""`qcode review` without a screen: JSON, patches, sentences for what goes wrong."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git to ask")

OLD = "".join(f"line {number}\n" for number in range(60))
NEW = OLD.replace("line 10\n", "ten\n").replace("line 50\n", "")


def git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    words = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(words, check=True, capture_output=True, input=given).stdout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "a.py").write_text(OLD)
    (root / "latin.txt").write_bytes(b"\xe4\n")
    (root / "old.txt").write_text(OLD)
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    return root


def change(root: Path) -> None:
    (root / "a.py").write_text(NEW)
    (root / "latin.txt").write_bytes(b"\xf6\r\n\xe4")
    git(root, "mv", "old.txt", "new name.txt")
    (root / "new name.txt").write_text(OLD + "end\n")
    (root / "fresh").write_text("a\n")
    (root / "a.py").chmod(0o755)


def review(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"QCODE_HOME": str(root.parent / "home")}
    words = [sys.executable, "-m", "qcode", "review", *arguments]
    return subprocess.run(words, cwd=root, env=environment, capture_output=True, check=False)


def told(root: Path, *arguments: str) -> dict[str, Any]:
    done = review(root, *arguments)
    assert (done.returncode, done.stderr) == (0, b"")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_without_a_terminal_the_changes_come_as_json(root: Path) -> None:
    change(root)
    found = told(root)
    assert [(file["path"], file["kind"], len(file["hunks"])) for file in found["files"]] == [
        ("a.py", "modified", 2),
        ("fresh", "new", 1),
        ("latin.txt", "modified", 1),
        ("new name.txt", "renamed", 1),
    ]
    assert found["counts"] == {"files": 4, "hunks": 5, "added": 5, "removed": 3}
    first = found["files"][0]["hunks"][0]
    assert (first["old_start"], first["old_lines"], first["staged"]) == (8, 7, False)
    assert first["patch"].startswith("@@ -8,7 +8,7 @@\n line 7\n")
    assert found == told(root, "--json")


def test_new_files_that_are_left_out_are_told(root: Path) -> None:
    for number in range(1_002):
        (root / f"{number:04}").write_text("n\n")
    found = told(root)
    assert (len(found["files"]), found["new_files_left_out"]) == (1_000, 2)
    done = review(root, "--patch")
    assert done.stdout.count(b"\n+n\n") == 1_000
    assert b"Not in the patch: 2 more new files" in done.stderr


def test_nothing_changed_is_an_empty_list(root: Path) -> None:
    assert told(root)["files"] == []


def test_staged_and_since_a_branch(root: Path) -> None:
    git(root, "checkout", "-q", "-b", "work")
    change(root)
    assert [file["path"] for file in told(root, "--staged")["files"]] == ["new name.txt"]
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "second")
    assert told(root)["files"] == []
    assert told(root, "--base", "main")["counts"]["files"] == 4


def test_the_patch_is_one_that_git_applies_to_the_byte(root: Path) -> None:
    change(root)
    patch = review(root, "--patch").stdout
    names = ["a.py", "fresh", "latin.txt", "new name.txt"]
    wanted = {name: (root / name).read_bytes() for name in names}
    git(root, "add", ".")
    git(root, "reset", "-q", "--hard")
    git(root, "apply", "--whitespace=nowarn", "-", given=patch)
    assert {name: (root / name).read_bytes() for name in names} == wanted
    assert (root / "a.py").stat().st_mode & 0o100
    assert not (root / "old.txt").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--base", "nowhere"], 42, "There is no branch or commit 'nowhere' here."),
        (["--base", "x", "--staged"], 2, "give one of them"),
        (["-C", "missing"], 42, "There is no folder missing."),
        (["-C", ".."], 42, "is in no git repository"),
        (["--stage"], 2, "Did you mean --staged?"),
    ],
)
def test_what_is_wrong_is_a_sentence(
    root: Path, arguments: list[str], code: int, words: str
) -> None:
    done = review(root, *arguments)
    assert done.returncode == code
    assert words in done.stderr.decode()
    assert done.stdout == b""


def test_help_imports_no_terminal_app(root: Path) -> None:
    program = (
        "import sys; sys.argv = ['qcode', 'review', '--json']; from qcode.cli.main import main; "
        "code = main(); assert not [m for m in sys.modules if m.startswith('textual')]; "
        "sys.exit(code)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="there are no ptys")
def test_on_a_terminal_it_opens_and_leaves(root: Path) -> None:
    change(root)
    ours, theirs = pty.openpty()
    environment = os.environ | {"QCODE_HOME": str(root.parent / "home"), "TERM": "xterm-256color"}
    with subprocess.Popen(
        [sys.executable, "-m", "qcode", "review"],
        cwd=root,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,  # where the screen is drawn: stdout is for results
    ) as process:
        os.close(theirs)
        seen = b""
        while b"5 left" not in seen:
            seen += os.read(ours, 65536)  # ends with an error when the program does
        os.write(ours, b"q")
        try:
            while os.read(ours, 65536):
                pass
        except OSError:  # Linux tells the end of a pty this way
            pass
        assert process.wait(20) == 0
    os.close(ours)
    assert (root / "a.py").read_text() == NEW
