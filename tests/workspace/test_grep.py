"""Lines that match: with ripgrep and without, the same."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qcode.workspace.files import WHOLE_BYTES
from qcode.workspace.grep import Found, Patience, Query, grep
from qcode.workspace.ignore import Bounds
from qcode.workspace.pattern import BadPattern, Pattern, literal, read
from qcode.workspace.repeats import REACH
from qcode.workspace.search import files, find, nearest, walk

RG = shutil.which("rg")
needs_rg = pytest.mark.skipif(RG is None, reason="ripgrep is not on the PATH")


def look(start: Path, pattern: str, rg: str | None = None, **more: int) -> Found:
    query = Query(read(pattern, ignore_case=False), None, **{"lines": 100, "paths": 100, **more})
    return grep(start, Bounds(start), query, rg, Patience(time.monotonic() + 30))


def lines(found: Found, start: Path) -> list[tuple[str, int, str]]:
    return [
        (os.path.relpath(hit.path, start), row.number, row.text)
        for hit in found.hits
        for row in hit.rows
    ]


TEXTS = [
    b"def main():\n    return 1\n",
    b"crlf line\r\nsecond \r\nlast",
    b"\xef\xbb\xbfmarked first\nsecond\n",
    "größe öl\nstraße\n".encode(),
    "größe latin\ncaf\xe9\n".encode("latin-1"),
    b"broken \xff\xfe byte x\n\xffx\n",
    "wide größe\r\nx\n".encode("utf-16"),
    "big größe\n".encode("utf-16-be"),
    b"binary x\x00\nmore x\n",
    b"x" * 70_000 + b"\x00x\n",
    b"",
    b"\n\n \n",
    b"a\rb\r\nc\n",
    "a\u2028b\x0cc\x85d\x1ce\u00a0f\n".encode(),
    b"foo {\n  bar[0] = (1, 2);\n}\n",
    b"tab\there\n\\back\\slash\n",
    b"x" * 20_000 + b"end\n",
    "İK\u212a \u017fs ² ৩ e\u0301\n".encode(),
]
PATTERNS = [
    "x", "^x", "x$", ".", "^.$", "^$", "^", "$", "\\w+", "\\s", "\\S+$", "\\d", "\\bx", "caf.",
    "caf.$", "ö", "größe", "[^a-z]", "[^a-z]$", "second$", "second.$", "second\\s$", "last$",
    "^marked", "wide", "foo {", "main()", "bar\\[0\\]", "(1|2)", "(?:a|b)x", "a.b", "c.d", "\\t",
    "\\\\", "x{3}", "x{3,}e", "end$", "(?i)MAIN", "(?i)k", "(?i)s", "\\W$", "\\D", "[[:space:]]",
    "e.$", "\\u00f6", "\\x41", "[]x]", "[a-]", "[\\w.-]+\\(", "x*?y", "[\\d\\s]", "a\\rb", "b?",
    "|", "(a|)c", "[ö-ü]",
]  # fmt: skip


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    for number, data in enumerate(TEXTS):
        place = folder / ("sub" if number % 3 else "a b") / f"{number}.txt"
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(data)
    (folder / ".hidden").write_text("x größe main()\n")
    (folder / "ignored").mkdir()
    (folder / "ignored/a.txt").write_bytes(b"x\n")
    (folder / ".gitignore").write_bytes(b"ignored/\nsub/0*\n")
    (folder / ".ignore").write_bytes(b"sub/\n")  # ripgrep's own kind of list, which is not git's
    (folder / "link").symlink_to("sub/1.txt")
    (folder / ".git").mkdir()
    (folder / ".git/x").write_bytes(b"x\n")
    return folder


@needs_rg
@pytest.mark.parametrize("pattern", PATTERNS)
def test_both_ways_find_the_same(texts: Path, pattern: str) -> None:
    try:
        alone = look(texts, pattern)
    except BadPattern:
        assert pattern == "a\\rb"
        return
    assert lines(look(texts, pattern, RG), texts) == lines(alone, texts)
    assert alone.stopped == ""


ATOMS = st.sampled_from(
    [
        "a",
        "x",
        "ö",
        " ",
        ".",
        "\\w",
        "\\s",
        "\\d",
        "\\W",
        "\\S",
        "[a-z]",
        "[^x]",
        "\\b",
        "^",
        "$",
        "(a|x)",
        "ß",
        "s",
    ]
)
REPEATS = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,}", "*?"])


@needs_rg
@settings(max_examples=60)
@given(st.lists(st.tuples(ATOMS, REPEATS), min_size=1, max_size=4), st.sampled_from(["", "(?i)"]))
def test_any_pattern_finds_the_same_both_ways(
    texts: Path, parts: list[tuple[str, str]], head: str
) -> None:
    pattern = head + "".join(atom + repeat for atom, repeat in parts)
    try:
        alone = look(texts, pattern)
    except BadPattern:
        return
    assert lines(look(texts, pattern, RG), texts) == lines(alone, texts)


@needs_rg
def test_a_configuration_of_ripgrep_is_not_read(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = tmp_path / "spy"
    spy.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    spy.chmod(0o755)
    (tmp_path / "rc").write_text(f"--pre={spy}\n")
    monkeypatch.setenv("RIPGREP_CONFIG_PATH", str(tmp_path / "rc"))
    assert look(texts, "main", RG).hits
    assert not (tmp_path / "ran").exists()


def test_a_ripgrep_that_fails_is_done_without(texts: Path, tmp_path: Path) -> None:
    broken = tmp_path / "rg"
    broken.write_text("#!/bin/sh\nexit 2\n")
    broken.chmod(0o755)
    assert lines(look(texts, "main", str(broken)), texts) == lines(look(texts, "main"), texts)
    assert lines(look(texts, "main", "/nowhere/rg"), texts) == lines(look(texts, "main"), texts)


@pytest.mark.parametrize("rg", [None, pytest.param(RG, marks=needs_rg)])
def test_a_search_stops_at_its_limits(tmp_path: Path, rg: str | None) -> None:
    for number in range(20):
        (tmp_path / f"{number:02}.txt").write_text("x\n" * 10)
    cut = look(tmp_path, "x", rg, lines=15)
    assert [len(hit.rows) for hit in cut.hits] == [10, 5]
    assert cut.stopped == "limit"
    assert look(tmp_path, "x", rg, lines=200).stopped == ""
    only_files = look(tmp_path, "x", rg, lines=0, paths=3)
    assert [Path(hit.path).name for hit in only_files.hits] == ["00.txt", "01.txt", "02.txt"]
    assert only_files.stopped == "limit"
    given_up = Patience(time.monotonic() + 30, lambda: True)
    query = Query(read("x", ignore_case=False), None, 10, 10)
    assert grep(tmp_path, Bounds(tmp_path), query, rg, given_up).stopped == "time"


def test_lines_around_a_match_are_shown_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1\nx2\n3\nx4\n5\n6\n7\nx8\n")
    rows = look(tmp_path, "x", context=1).hits[0].rows
    assert [(row.number, row.start) for row in rows] == [
        (1, -1), (2, 0), (3, -1), (4, 0), (5, -1), (7, -1), (8, 0)
    ]  # fmt: skip


def test_a_large_file_is_passed_over(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.write(b"x\n")
        file.truncate(WHOLE_BYTES + 1)
    (tmp_path / "small").write_text("x\n")
    assert [Path(hit.path).name for hit in look(tmp_path, "x").hits] == ["small"]


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a*)*b", "(a|b)+", "(a?){9}", "a*a*a*a*b",
     "(a*|b)a*(a*c)?a*", "(?=a)", "(?!a)", "(?<=a)", "\\1", "a\\nb", "(a", "a)", "[a",
     "*a", "a**", "a++", "[z-a]", "\\p{L}", "\\Aa", "x{2}{3}", "(?s).", "\\ud800"],
)  # fmt: skip
def test_what_is_not_common_to_both_is_refused_with_a_reason(pattern: str) -> None:
    with pytest.raises(BadPattern, match=r"\w"):
        read(pattern, ignore_case=False)


@pytest.mark.parametrize(
    "pattern",
    ["a*b", "a+?b", "a*a*b", "a*(a*)(?:a*)b", "[^b]+a{1,200}.*b", "a*a*(a|aa)?b", "(a+a)?(a+a)?b"],
)
def test_a_pattern_that_repeats_is_quick_on_a_long_line(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "a").write_text("a" * 300_000 + "\n")
    start = time.monotonic()
    assert not look(tmp_path, pattern).hits
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    ("pattern", "reach"),
    [
        ("abc", 0), ("https?://", 0), ("(const|let)?x{2}", 0), ("a*", 1), ("foo.*bar.*baz", 1),
        (r"def\s+\w+\(", 1), (r"\s*\w+\s*=", 1), (".*.*", 2), ("a*b?c*", 2), ("(a*)(b*)", 2),
        ("a*(b|)c*", 2), ("a*(b)?c*", 2), ("a*(b)c*", 1), ("a*|b*", 1), ("(a*|b)c*", 2),
        ("a*b*c*", 3), ("a{1,400}b{2,}", 2), ("a?b?c?", 1), (r"\w+\s*x?\s*", 2),
    ],
)  # fmt: skip
def test_only_repetitions_that_meet_shorten_what_is_searched(pattern: str, reach: int) -> None:
    assert read(pattern, ignore_case=False).reach == REACH[reach]


def test_where_the_search_of_a_long_line_ends_is_no_line_end() -> None:
    line = "x" * 20_000 + "y"
    assert read("x*$", ignore_case=False).search(line) is None
    assert read("x$", ignore_case=False).search(line) is None
    assert read("x*", ignore_case=False).search("x" * 9_999) is not None


@given(st.text(max_size=20).filter(lambda text: not set(text) & {"\r", "\n"}))
def test_plain_text_finds_itself(text: str) -> None:
    match = literal(text, ignore_case=False).search(f"<{text}>")
    assert match is not None
    assert text in match.string


@given(st.text(alphabet="ab.*+?()[]{}|^$\\d1,-x", max_size=10))
def test_reading_a_pattern_either_refuses_it_or_gives_one(text: str) -> None:
    try:
        pattern = read(text, ignore_case=False)
    except BadPattern:
        return
    assert isinstance(pattern, Pattern)
    assert isinstance(pattern.python, re.Pattern)


@needs_rg
@given(st.text(alphabet="ab.*+?()[]{}|^$\\d1,-x:w", min_size=1, max_size=10))
def test_ripgrep_takes_every_pattern_that_is_read(text: str) -> None:
    try:
        pattern = read(text, ignore_case=False)
    except BadPattern:
        return
    assert RG is not None
    command = [RG, "--no-config", f"--regexp={pattern.rust}"]
    ended = subprocess.run(command, input=b"ab1x-\n", capture_output=True, check=False)
    assert ended.returncode in (0, 1), ended.stderr.decode()
    if pattern.search("ab1x-"):
        assert ended.returncode == 0


# Files by name


def test_files_are_found_by_name(tmp_path: Path) -> None:
    for name in ("a.py", "src/a.py", "src/b.ts", "src/deep/c.js", "src/a.pyc", "docs/a.md", "z/x/"):
        place = tmp_path / name
        place.mkdir(parents=True) if name.endswith("/") else place.parent.mkdir(
            parents=True, exist_ok=True
        )
        if not name.endswith("/"):
            place.write_text("")
    expected = {
        "*.py": ["a.py", "src/a.py"],
        "./*.py": ["a.py", "src/a.py"],
        "/*.py": ["a.py"],
        "src/*.py": ["src/a.py"],
        "src/**": ["src/a.py", "src/a.pyc", "src/b.ts", "src/deep/c.js"],
        "src/": ["src/a.py", "src/a.pyc", "src/b.ts", "src/deep/c.js"],
        "**/*.{js,ts}": ["src/b.ts", "src/deep/c.js"],
        "src/deep/*": ["src/deep/c.js"],
        "nowhere/*": [],
        "../*": [],
        "src/../a.py": [],
        "?.md": ["docs/a.md"],
        "x": [],
    }
    for pattern, names in expected.items():
        found = find(tmp_path, Bounds(tmp_path), pattern, 100)
        assert [os.path.relpath(path, tmp_path) for path in found] == names, pattern
    assert len(find(tmp_path, Bounds(tmp_path), "**", 2)) == 2


def test_the_glob_of_a_search_limits_it(tmp_path: Path) -> None:
    for name in ("a.py", "b.ts"):
        (tmp_path / name).write_text("x\n")
    query = Query(read("x", ignore_case=False), files("*.py"), 10, 10)
    for rg in {None, RG}:
        found = grep(tmp_path, Bounds(tmp_path), query, rg, Patience(time.monotonic() + 30))
        assert [Path(hit.path).name for hit in found.hits] == ["a.py"]


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/up").symlink_to(tmp_path)
    (tmp_path / "sub/a").symlink_to("/etc/passwd")
    assert [os.path.relpath(path, tmp_path) for path in walk(tmp_path, Bounds(tmp_path))] == [
        "sub/a",
        "sub/up",
    ]
    assert find(tmp_path, Bounds(tmp_path), "sub/up/**", 10) == []


def test_a_missing_file_has_nearest_names(tmp_path: Path) -> None:
    for name in ("src/app/main.py", "src/lib/main.py", "docs/guide.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    bounds = Bounds(tmp_path)
    assert nearest(bounds, tmp_path / "lib/main.py") == ["src/lib/main.py", "src/app/main.py"]
    assert nearest(bounds, tmp_path / "docs/guid.md") == ["docs/guide.md"]
    assert nearest(bounds, tmp_path / "docs/nothing.xyz") == []


@pytest.mark.parametrize(
    ("missing", "meant"),
    [
        ("z.py", []),  # that both end in .py says nothing
        ("foo.json", []),
        ("modles.py", ["models.py", "models.toml"]),  # the same ending first
        ("cart.py", ["test_cart.py"]),
        ("READNE.rst", ["README.md"]),
        ("gitignore", [".gitignore"]),
    ],
)
def test_names_are_like_one_another_apart_from_their_endings(
    tmp_path: Path, missing: str, meant: list[str]
) -> None:
    for name in ("a.py", "b.json", "models.toml", "models.py", "test_cart.py", "README.md"):
        (tmp_path / name).touch()
    (tmp_path / ".gitignore").touch()
    assert nearest(Bounds(tmp_path), tmp_path / missing) == meant


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
@pytest.mark.parametrize("rg", [None, pytest.param(RG, marks=needs_rg)])
def test_a_pipe_of_the_name_of_a_list_keeps_no_search_waiting(
    tmp_path: Path, rg: str | None
) -> None:
    """ripgrep does wait for it."""
    os.mkfifo(tmp_path / ".gitignore")
    (tmp_path / "a.txt").write_text("needle\n")
    query = Query(read("needle", ignore_case=False), None, lines=100, paths=100)
    found = grep(tmp_path, Bounds(tmp_path), query, rg, Patience(time.monotonic() + 2))
    assert lines(found, tmp_path) == [("a.txt", 1, "needle")]
