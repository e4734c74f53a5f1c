"""Patterns of git: what they match, and that no repository's pattern takes long."""

import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.workspace.git import branch
from qcode.workspace.ignore import Bounds
from qcode.workspace.search import files, walk
from qcode.workspace.wildcards import path_regex

SIGNS = st.lists(st.sampled_from(["a", "b", "*", "?", "[ab]"]), min_size=1, max_size=5)
COMPONENTS = st.just("**") | SIGNS.map(lambda signs: re.sub(r"\*+", "*", "".join(signs)))
PATTERNS = st.lists(COMPONENTS, max_size=5).map("/".join)
PATHS = st.text("ab/", max_size=12)


def found(pattern: str, path: str) -> bool:
    """The same by trying every way."""
    if not pattern:
        return not path
    if pattern.startswith("**/"):
        starts = [0, *(at + 1 for at, sign in enumerate(path) if sign == "/")]
        return any(found(pattern[3:], path[at:]) for at in starts)
    if pattern == "**":
        return True
    if pattern[0] == "*":
        most = path.find("/") if "/" in path else len(path)
        return any(found(pattern[1:], path[at:]) for at in range(most + 1))
    size = pattern.index("]") + 1 if pattern[0] == "[" else 1
    fits = path[:1] in {"?": set(path[:1]) - {"/", ""}, "[": set("ab")}.get(pattern[0], pattern[0])
    return bool(path) and fits and found(pattern[size:], path[1:])


@given(PATTERNS, PATHS)
def test_a_pattern_matches_what_some_way_through_it_matches(pattern: str, path: str) -> None:
    assert bool(re.compile(path_regex(pattern), re.DOTALL).fullmatch(path)) == found(pattern, path)


@pytest.mark.parametrize(
    "pattern", ["*a" * 20 + "b", "**/" * 20 + "x", "?*" * 20 + "!", "**/*a*a*a/" * 8 + "b"]
)
@pytest.mark.parametrize("path", ["a" * 250, "a/" * 120 + "y", "aaaaaaaa/" * 60 + "y"])
def test_a_hostile_pattern_is_answered_at_once(pattern: str, path: str) -> None:
    began = time.monotonic()
    re.compile(path_regex(pattern), re.DOTALL).fullmatch(path)
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize("count", [20, 5_000])
def test_braces_that_stand_for_millions_are_letters(count: int) -> None:
    pattern = "{a,b}" * count
    assert files(pattern).matches(pattern)
    assert files("{a,b}" * 8).matches("abababab")


@pytest.mark.timeout(20)
def test_pipes_and_devices_in_the_place_of_lists_and_heads_are_passed_over(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no pipes with names")
    (tmp_path / ".git/info").mkdir(parents=True)
    (tmp_path / "a.txt").write_text("one")
    os.mkfifo(tmp_path / ".gitignore")
    os.mkfifo(tmp_path / ".git/info/exclude")
    os.mkfifo(tmp_path / ".git/HEAD")
    assert str(tmp_path / "a.txt") in list(walk(tmp_path, Bounds(tmp_path, ())))
    assert branch(tmp_path) == ""
    (tmp_path / ".git/HEAD").unlink()
    (tmp_path / ".git/HEAD").symlink_to("/dev/zero")
    assert branch(tmp_path) == ""
