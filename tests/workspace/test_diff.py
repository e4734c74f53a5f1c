"""Patches: made, taken back, applied."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.workspace.diff import DoesNotApply, apply, counts, reverse, unified

LINES = st.lists(
    st.sampled_from(
        ["a", "b", "c", "", " ", "-x", "+y", "@@ -1 +1 @@", "\\ No", "a\r", "\x0c", "é\u2028"]
    ),
    max_size=25,
)
ENDS = st.sampled_from(["", "\n"])
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, LINES, ENDS)


@given(TEXTS, TEXTS)
def test_a_patch_applied_and_reversed_is_the_original(before: str, after: str) -> None:
    patch = unified(before, after, "a b.py")
    assert apply(before, patch) == after
    assert apply(after, reverse(patch)) == before
    assert reverse(reverse(patch)) == patch
    assert (patch == "") == (before == after)
    added, removed = counts(patch)
    assert counts(reverse(patch)) == (removed, added)
    assert added - removed == len(lines(after)) - len(lines(before))


def lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


@pytest.mark.skipif(shutil.which("patch") is None, reason="the program patch is the judge here")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nb\nc\n", "a\nx\nc\n"),
        ("a\nb", "a\nb\n"),
        ("a\nb\n", "a\nb"),
        ("", "a\n"),
        ("x\n" * 30 + "y\n" * 30, "w\n" + "x\n" * 30 + "z\n" * 2 + "y\n" * 29),
    ],
)
def test_other_programs_understand_the_patch(tmp_path: Path, before: str, after: str) -> None:
    (tmp_path / "f").write_text(before)
    command = ["patch", "-p1", "-s", "-d", str(tmp_path)]
    subprocess.run(command, input=unified(before, after, "f"), text=True, check=True)
    assert (tmp_path / "f").read_text() == after


def test_a_patch_shows_three_lines_around_each_change() -> None:
    before = "".join(f"{number}\n" for number in range(40))
    after = before.replace("\n10\n", "\nten\n").replace("\n30\n", "\n")
    patch = unified(before, after, "src/a.py")
    assert patch.startswith(
        "--- a/src/a.py\n+++ b/src/a.py\n@@ -8,7 +8,7 @@\n 7\n 8\n 9\n-10\n+ten\n"
    )
    assert "@@ -28,7 +28,6 @@\n 27\n 28\n 29\n-30\n 31\n 32\n 33\n" in patch
    assert counts(patch) == (1, 2)


def test_a_patch_that_does_not_fit_is_refused() -> None:
    patch = unified("a\nb\n", "a\nc\n", "f")
    with pytest.raises(DoesNotApply, match="near line 1"):
        apply("x\nb\n", patch)
    with pytest.raises(DoesNotApply, match="no unified diff"):
        apply("a\n", "--- a/f\n+++ b/f\n@@ -1,9 +1 @@\n a\n")


def test_large_rewrites_are_compared_in_little_time() -> None:
    before = "".join(f"old {number}\n" for number in range(60_000))
    after = "head\n" + "".join(f"new {number}\n" for number in range(60_000)) + "tail\n"
    start = time.monotonic()
    patch = unified(before, after, "f")
    assert time.monotonic() - start < 10
    assert counts(patch) == (60_002, 60_000)
    small = unified(before, before.replace("old 30000\n", "new\n"), "f")
    assert counts(small) == (1, 1)
    assert apply(before, patch) == after
