"""Tasks are proven before they are tasks."""

import sys
from pathlib import Path

import pytest

from qcode.bench.copies import Copies, Judge, folder
from qcode.bench.detecting import command_of
from qcode.bench.making import Wanted, make
from qcode.bench.repository import Repository
from qcode.bench.roles import is_code, is_protected, is_test
from qcode.bench.task import Task
from qcode.protocol.errors import InputError
from tests.benching.repos import COMMAND, commit, print_of, shop


def judge(command: str = COMMAND, prepare: str = "") -> Judge:
    return Judge(command, prepare, (), 60.0)


def made(repo: Path, wanted: Wanted, tests: Judge | None = None) -> tuple[Task, ...]:
    return make(Copies(Repository.at(repo)), tests or judge(), wanted, lambda _: None)


def test_both_kinds_are_made_and_the_repository_is_as_it_was(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    (repo / "shop.py").write_text("half done")
    before = print_of(repo)
    tasks = made(repo, Wanted(3, ("bug", "redo"), 1))
    assert print_of(repo) == before
    assert [it.id for it in tasks] == ["bug-01", "bug-02", "redo-01"]
    redo = tasks[-1]
    assert redo.reverted == ("shop.py",)
    assert redo.message.startswith("shop: gross price")
    copies = Copies(Repository.at(repo))
    for task in tasks:
        with folder("copy") as place:
            copies.lay(task, place)
            assert judge().run(place).code not in (0, None), task


def test_a_runner_that_says_how_it_ended_is_known_by_it(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    assert {it.is_told for it in made(repo, Wanted(3, ("bug", "redo"), 1))} == {True}
    mute = judge(f"{COMMAND} 2>/dev/null")
    assert {it.is_told for it in made(repo, Wanted(2, ("bug",), 1), mute)} == {False}


def test_the_same_seed_makes_the_same_tasks(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    wanted = Wanted(2, ("bug",), 5)
    assert made(repo, wanted) == made(repo, wanted)


def test_a_bug_that_no_test_catches_is_no_task(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    commit(repo, "untested", {"lonely.py": "def f(a, b):\n    return a < b\n"})
    tasks = made(repo, Wanted(6, ("bug",), 1))
    assert tasks
    assert {it.swap.path for it in tasks if it.swap} == {"shop.py"}


def test_code_that_no_test_loads_is_not_even_tried(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    commit(repo, "unused", {"lonely.py": "def f(a, b):\n    return a < b\n"})
    said: list[str] = []
    make(Copies(Repository.at(repo)), judge(), Wanted(8, ("bug",), 1), said.append)
    assert [it for it in said if "shop.py" in it]
    assert not [it for it in said if "lonely.py" in it]


def test_a_repository_of_another_language_has_bugs_too(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    check = (
        f"{sys.executable} -c \"import sys; sys.exit('a < 3' not in open('lib/code.js').read())\""
    )
    commit(repo, "script", {"lib/code.js": "export const f = (a) => (a < 3 ? 1 : 2);\n"})
    (found,) = made(repo, Wanted(8, ("bug",), 3), judge(check))
    assert found.title == "< became <=, lib/code.js:1"


def test_making_ends_when_its_time_is_over(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    said: list[str] = []
    wanted = Wanted(8, ("bug", "redo"), 1, seconds=0.01)
    assert make(Copies(Repository.at(repo)), judge(), wanted, said.append) == ()
    assert "--make-budget" in said[-1]


def test_a_bug_that_hangs_is_no_task(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    files = {
        "shop.py": "def up(n):\n    at = 0\n    while at != n:\n        at = at + 1\n"
        "    return at\n",
        "tests/test_shop.py": "import unittest\nimport shop\n\n\nclass T(unittest.TestCase):\n"
        "    def test_up(self):\n        self.assertEqual(shop.up(3), 3)\n",
    }
    commit(repo, "hangs when wrong", files)
    tests = Judge(COMMAND, "", (), 3.0)
    whats = {it.title.split(",")[0] for it in made(repo, Wanted(8, ("bug",), 1), tests)}
    assert whats
    assert "+ became -" not in whats


def test_a_commit_that_its_tests_do_not_need_is_no_task(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    untested = {"other.py": "x = 1\n", "tests/test_other.py": "import unittest\n"}
    commit(repo, "code and a test of nothing", untested)
    tasks = made(repo, Wanted(5, ("redo",), 1))
    assert [it.title.split(" ", 1)[1] for it in tasks] == ["shop: gross price"]


def test_a_command_that_fails_on_head_judges_nothing(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    with pytest.raises(InputError, match="on a fresh copy of HEAD, so it can judge nothing"):
        made(repo, Wanted(1, ("bug",), 1), judge("false"))


def test_a_fresh_copy_is_prepared(tmp_path: Path) -> None:
    repo = shop(tmp_path / "shop")
    needs = judge(f"test -e ready && {COMMAND}", "touch ready")
    assert made(repo, Wanted(1, ("bug",), 1), needs)
    with pytest.raises(InputError, match="--prepare ended with 3 in a fresh copy"):
        made(repo, Wanted(1, ("bug",), 1), judge(COMMAND, "echo no; exit 3"))


def test_tests_see_the_copy_and_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QCODE_API_KEY", "sk-secret-of-mine")
    line = f"{sys.executable} -c 'import os, sys; print(os.environ, sys.path)'"
    ran = judge(line).run(tmp_path)
    assert str(tmp_path) in ran.out
    assert "sk-secret" not in ran.out


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"Cargo.toml": "", "src/lib.rs": ""}, "cargo test --quiet"),
        ({"go.mod": "", "a_test.go": ""}, "go test ./..."),
        ({"package.json": '{"scripts": {"test": "vitest run"}}'}, "npm test --silent"),
        ({"package.json": '{"scripts": {"test": "echo no test specified"}}'}, ""),
        ({"package.json": "{broken"}, ""),
        ({"a.py": "", "tests/test_a.py": ""}, "python -m pytest -q -x -p no:cacheprovider"),
        ({"Makefile": "all:\n\ttrue\ntest: all\n\ttrue\n"}, "make test"),
        ({"Makefile": "testing:\n\ttrue\n"}, ""),
        ({"README.md": ""}, ""),
    ],
)
def test_the_command_is_found_by_the_files(files: dict[str, str], command: str) -> None:
    assert command_of(files, files.__getitem__) == command


@pytest.mark.parametrize(
    "path",
    [
        *("tests/test_a.py", "src/a_test.go", "a.test.ts", "src/__tests__/a.js", "conftest.py"),
        *("spec/a_spec.rb", "src/FooTest.java", "tests/data.json", "pkg/testdata/x.go"),
    ],
)
def test_tests_are_known_by_their_names(path: str) -> None:
    assert is_test(path)
    assert not is_code(path)


@pytest.mark.parametrize("path", ["src/latest.py", "contest.go", "attest/a.py", "src/protest.ts"])
def test_code_is_not_taken_for_tests(path: str) -> None:
    assert is_code(path)


@pytest.mark.parametrize(
    "path",
    [
        "pyproject.toml",
        "package.json",
        "sub/Makefile",
        "vitest.config.ts",
        "pytest.py",
        "src/_pytest/x.py",
    ],
)
def test_what_steers_tests_wins_nothing(path: str) -> None:
    assert is_protected(path)
