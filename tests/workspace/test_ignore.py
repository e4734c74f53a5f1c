"""The same files are ignored as git ignores."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.workspace.ignore import Bounds
from qcode.workspace.search import Sieve, walk
from qcode.workspace.sketch import sketch
from qcode.workspace.wildcards import alternatives

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is the judge here")


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "core.excludesFile=", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def seen_by_git(folder: Path) -> list[str]:
    listed = git(folder, "ls-files", "-z", "--others", "--cached", "--exclude-standard")
    return sorted({name for name in listed.split("\0") if name}, key=lambda name: name.split("/"))


def seen_by_us(folder: Path) -> list[str]:
    return [os.path.relpath(path, folder) for path in walk(folder, Bounds(folder))]


def fill(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


TREE = dict.fromkeys(
    (
        "a.log", "a.py", "b c", "build/a.py", "build/keep.py", "build/deep/a.py", "src/a.log",
        "src/build/a.py", "src/keep.log", "src/x/y/z.txt", "docs/a[1].md", "docs/a1.md", "#a", "!b",
        "trail ", "tmp/a", "tmp/b/c", "node_modules/p/i.js", "x/node_modules/q/i.js", "foo/bar/baz",
        "foo/qux", ".hidden/a", "umläut/ö.txt", "end\\",
    ),
    "",
)  # fmt: skip
LISTS = [
    "*.log\n!keep.log\n",
    "build/\n",
    "/build\n",
    "build/*\n!build/keep.py\n",
    "build/**\n!build/deep/\n",
    "*\n!*/\n!*.py\n",
    "*\n!foo/\n!foo/bar/\n!foo/bar/baz\n",
    "/*\n!/src\n/src/*\n!/src/x\n",
    "**/y\n",
    "src/**/z.txt\n",
    "x/**/i.js\nfoo/**\n",
    "foo/ba?\n",
    "a[0-9].md\ndocs/a\\[1].md\n",
    "[[:digit:]]*\n[!a-z]*\n",
    "docs/a[^1]*\n",
    "\\#a\n\\!b\n",
    "trail\\ \nb c   \n",
    "# comment\n\n   \n/\n!\n",
    "tmp\r\nnode_modules/\r\n",
    "\ufefftmp\n",
    "uml*/\n",
    "end\\\\\n",
    "end\\\n",
    "[a\n[z-a]*\n[]-]\n",
    "f**r\n**oo\n",
    "***\n!a.py\n",
    "foo//bar\n",
    "./a.py\n",
    "*.{log,py}\n",
    "tm[p]\nt*p/b\n",
    "a.py/\n",
    ".*\n",
]


@needs_git
@pytest.mark.parametrize("rules", LISTS)
def test_a_list_means_what_git_takes_it_to_mean(tmp_path: Path, rules: str) -> None:
    git(tmp_path, "init", "-q")
    fill(tmp_path, TREE | {".gitignore": rules})
    assert seen_by_us(tmp_path) == seen_by_git(tmp_path)


PIECES = st.sampled_from(
    [
        "*",
        "**",
        "?",
        "/",
        "a",
        "b",
        "ab",
        ".py",
        "[ab]",
        "[!a]",
        "[a-",
        "\\",
        "!",
        "#",
        " ",
        "{a,b}",
    ]
)
PATTERNS = st.lists(PIECES, min_size=1, max_size=6).map("".join)
NAMES = [
    "a", "b", "ab", "a.py", "b.py", "ab.py", "a b", "#a", "!a",
]  # fmt: skip
TREE_OF_NAMES = (
    {f"{name}": "" for name in ("ab.py", "a.py", "#a", "!a", "a b", "c")}
    | {f"a/{name}": "" for name in NAMES}
    | {f"b/a/{name}": "" for name in NAMES}
    | {f"b/b/{name}": "" for name in NAMES}
)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grown")
    if shutil.which("git"):
        git(folder, "init", "-q")
    fill(folder, TREE_OF_NAMES)
    return folder


@needs_git
@given(
    st.lists(PATTERNS, max_size=4), st.lists(PATTERNS, max_size=3), st.lists(PATTERNS, max_size=2)
)
def test_any_lists_mean_what_git_takes_them_to_mean(
    grown: Path, top: list[str], inner: list[str], exclude: list[str]
) -> None:
    (grown / ".gitignore").write_text("\n".join(top))
    (grown / "b/.gitignore").write_text("\n".join(inner))
    (grown / ".git/info/exclude").write_text("\n".join(exclude))
    seen = seen_by_us(grown)
    assert seen == seen_by_git(grown)
    sieve = Sieve(grown, Bounds(grown))
    every = sorted([*TREE_OF_NAMES, ".gitignore", "b/.gitignore"], key=lambda one: one.split("/"))
    assert [name for name in every if sieve.passes(f"{grown}/{name}")] == seen


@needs_git
def test_the_nearest_list_wins_and_the_exclude_file_comes_last(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    fill(
        tmp_path,
        {
            ".gitignore": "*.a\n!take.b\n",
            "sub/.gitignore": "!*.a\n*.c\n",
            "x.a": "", "x.b": "", "take.b": "", "sub/x.a": "", "sub/x.c": "", "sub/in/y.c": "",
        },
    )  # fmt: skip
    (tmp_path / ".git/info/exclude").write_text("*.b\n")
    assert seen_by_us(tmp_path) == seen_by_git(tmp_path)
    assert seen_by_us(tmp_path) == [".gitignore", "sub/.gitignore", "sub/x.a", "take.b"]


@needs_git
def test_a_folder_within_obeys_the_lists_above_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    fill(tmp_path, {".gitignore": "*.a\n/sub/b\n", "sub/x.a": "", "sub/b": "", "sub/c": ""})
    assert seen_by_us(tmp_path / "sub") == ["c"]
    fill(tmp_path, {"build/c": "", "build/x.a": "", ".gitignore": "*.a\nbuild\n"})
    assert seen_by_us(tmp_path / "build") == ["c"]  # asked for by name, so it is looked into


@needs_git
def test_another_repository_within_has_its_own_lists(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "other").mkdir()
    git(tmp_path / "other", "init", "-q")
    fill(tmp_path, {".gitignore": "*.a\n", "other/x.a": "", "other/.gitignore": "*.b\n"})
    fill(tmp_path, {"other/x.b": "", "x.a": "", "x.b": ""})
    assert seen_by_us(tmp_path) == [".gitignore", "other/.gitignore", "other/x.a", "x.b"]


@needs_git
def test_a_work_tree_uses_its_repositorys_exclude_file(tmp_path: Path) -> None:
    main = tmp_path / "main"
    main.mkdir()
    git(main, "init", "-q")
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    git(main, *identity, "commit", "-q", "--allow-empty", "-m", "first")
    git(main, "worktree", "add", "-q", str(tmp_path / "tree"))
    (main / ".git/info").mkdir(exist_ok=True)
    (main / ".git/info/exclude").write_text("*.a\n")
    fill(tmp_path / "tree", {"x.a": "", "x.b": ""})
    assert seen_by_us(tmp_path / "tree") == seen_by_git(tmp_path / "tree") == ["x.b"]


def test_lists_count_without_a_repository(tmp_path: Path) -> None:
    root = tmp_path / "root"
    fill(root, {".gitignore": "*.a\n", "x.a": "", "sub/y.a": "", "sub/y.b": ""})
    fill(tmp_path, {".gitignore": "*.b\n"})  # above the root: not ours
    assert seen_by_us(root) == [".gitignore", "sub/y.b"]
    assert [Path(path).name for path in walk(root / "sub", Bounds(root))] == ["y.b"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a", ["a"]),
        ("*.{js,ts}", ["*.js", "*.ts"]),
        ("{a,b}/{c,d}", ["a/c", "a/d", "b/c", "b/d"]),
        ("x{a,{b,c}}", ["xa", "xb", "xc"]),
        ("{a}", ["{a}"]),
        ("{a", ["{a"]),
        ("{,a}b", ["b", "ab"]),
        ("\\{a,b\\}", ["\\{a,b\\}"]),
        ("{a}{b,c}", ["{a}b", "{a}c"]),
    ],
)
def test_braces_are_alternatives(pattern: str, expected: list[str]) -> None:
    assert set(alternatives(pattern)) == set(expected)


def test_what_the_user_excludes_nothing_brings_back(tmp_path: Path) -> None:
    for name in ("a.py", "gen/b.py", "lib/.git/HEAD", "lib/gen/c.py", "lib/d.min.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x\n")
    (tmp_path / ".gitignore").write_text("!gen/\n!*.min.js\n")
    bounds = Bounds(tmp_path, ("gen/", "*.min.js", "!a.py"))
    found = [os.path.relpath(path, tmp_path) for path in walk(tmp_path, bounds)]
    assert found == [".gitignore", "a.py"]
    sieve = Sieve(tmp_path, bounds)
    assert not sieve.passes(str(tmp_path / "lib/gen/c.py"))
    assert sketch(tmp_path, bounds.exclude) == "lib/\n.gitignore\na.py"
