"""Bugs that are put in: each is one passage, is Python still, and does what it says."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcode
from qcode.bench.mutations import python
from qcode.bench.task import Swap
from qcode.bench.textual import other

SOURCES = sorted(Path(qcode.__file__).parent.glob("bench/*.py"))


def made(source: str) -> dict[str, str]:
    """What each bug is called -> the source with it."""
    data = source.encode()
    return {it.what: it.applied(data).decode() for it in python("a.py", data)}


def test_the_bugs_of_the_brief_are_found() -> None:
    source = (
        "def f(rows, n):\n"
        "    if n < 1 and rows:\n"
        "        return None\n"
        "    for at in range(0, n + 1):\n"
        "        if rows[at] == 2:\n"
        "            return True\n"
        "    return rows[1:]\n"
    )
    found = made(source)
    assert "if n <= 1 and rows:" in found["< became <="]
    assert "if n < 1 or rows:" in found["and became or"]
    assert "range(0, n - 1)" in found["+ became -"]
    assert "range(1, n + 1)" in found["0 became 1"]
    assert "return rows[2:]" in found["1 became 2"]
    assert "return False" in found["True became False"]
    assert "if not (" in found["a condition was negated"]
    removed = found["a branch was removed"]
    assert "return None" not in removed
    assert len(removed.splitlines()) == len(source.splitlines()) - 2


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_each_bug_of_a_real_file_is_python_and_another_program(path: Path) -> None:
    source = path.read_bytes()
    was = ast.dump(ast.parse(source))
    for swap in python(path.name, source):
        now = ast.dump(ast.parse(swap.applied(source)))
        assert now != was, swap


def test_places_are_told_in_bytes() -> None:
    source = 'x = "äöü"; y = 1 if x == "ß" else 2\nif x <  3: y = "€" > x\n'
    found = made(source)
    assert 'x != "ß"' in found["== became !="]
    assert "if x <=  3" in found["< became <="]
    assert '"€" >= x' in found["> became >="]


def test_what_only_types_and_programs_come_by_is_left_alone() -> None:
    source = (
        "if TYPE_CHECKING:\n    x = 1 < 2\n"
        "if __name__ == '__main__':\n    y = 1 < 2\n"
        "if sys.version_info >= (3, 12):\n    z = 1 < 2\n"
    )
    assert made(source) == {}


@given(st.binary(max_size=200))
def test_what_is_no_source_has_no_bugs_and_harms_nobody(data: bytes) -> None:
    for find in (python, other):
        for swap in find("a", data):
            assert swap.applied(data) != data


@given(st.text(alphabet="if x<>=:()andor not1+-\n \"'#/*é", max_size=120))
def test_a_bug_is_where_it_says(text: str) -> None:
    data = text.encode()
    for find in (python, other):
        for swap in find("a", data):
            assert data[swap.start :].startswith(swap.old.encode())


def test_a_passage_that_is_not_there_is_not_replaced() -> None:
    with pytest.raises(ValueError, match="another passage"):
        Swap("a.py", 2, "<", "<=", "").applied(b"a > b")


def test_other_languages_have_operators_outside_of_quotes_and_comments() -> None:
    source = (
        "// a < b\n"
        "/* a < b\n   c > d */\n"
        'fn f(a: i32) -> bool { let s = "a < b"; if a < 3 && s.len() > 1 { return true; } }\n'
        "import x > y\n"
        "é(); let n = len - 1;\n"
    ).encode()
    found = other("a.rs", source)
    assert sorted(it.what for it in found) == [
        "&& became ||",
        "- 1 became + 1",
        "< became <=",
        "> became >=",
        "return true became return false",
    ]
    for swap in found:
        assert swap.applied(source) != source


@pytest.mark.parametrize(
    ("line", "bug"),
    [
        ("  if (n < low) {\n", "  if (!(n < low)) {\n"),
        ("\tif len(s) == 0 {\n", "\tif !(len(s) == 0) {\n"),
        ("    } else if (ready()) {\n", "    } else if (!(ready())) {\n"),
        ("    if let Some(x) = y {\n", ""),
        ("\tif err := f(); err != nil {\n", ""),
        ("  if (a) b(); else if (c) {\n", ""),
        ('  say("if (a) {\n', ""),
    ],
)
def test_a_condition_of_another_language_is_negated(line: str, bug: str) -> None:
    found = [it for it in other("a.go", line.encode()) if it.what == "a condition was negated"]
    assert [it.applied(line.encode()).decode() for it in found] == ([bug] if bug else [])
