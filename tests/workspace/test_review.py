"""Hunks, choices and what results; proposals whose file changed under them."""

from hypothesis import given
from hypothesis import strategies as st

from qcode.workspace.diff import apply, unified
from qcode.workspace.patches import hunks_of
from qcode.workspace.review import (
    Choice,
    Hunk,
    editable,
    edited,
    fits,
    hunks,
    merged,
    result,
    reversed_hunk,
)

LINES = st.lists(
    st.tuples(
        st.sampled_from(
            ["a", "b", "c", "d", "", " ", "-x", "+y", "@@ -1 +1 @@", "\x0c", "é\u2028"]
        ),
        st.sampled_from(["\n", "\n", "\n", "\r\n"]),
    ),
    max_size=30,
)
TEXTS = st.builds(
    lambda rows, last: "".join(line + end for line, end in rows) + last,
    LINES,
    st.sampled_from(["", "", "z", "文字\r"]),
)
KEEP, DROP = Choice("keep"), Choice("drop")


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, str]:
    """Two texts of which the second is mostly the first, so that there are several hunks."""
    before = draw(TEXTS)
    lines = before.splitlines(keepends=True)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(lines)))
        end = draw(st.integers(at, min(at + 2, len(lines))))
        lines[at:end] = draw(TEXTS).splitlines(keepends=True)[:3]
    return before, "".join(lines)


PAIRS = st.one_of(changes(), st.tuples(TEXTS, TEXTS), st.tuples(st.just(""), TEXTS))
MANY = "".join(f"line {number}\n" for number in range(60))


def changed(text: str, **words: str) -> str:
    for line, new in words.items():
        text = text.replace(f"line {line[1:]}\n", new)
    return text


@given(PAIRS)
def test_all_kept_is_the_proposal_and_all_dropped_is_the_old(pair: tuple[str, str]) -> None:
    before, after = pair
    parts = hunks(before, after)
    assert result(before, parts, {}) == after
    assert result(before, parts, dict.fromkeys(range(len(parts)), KEEP)) == after
    assert result(before, parts, dict.fromkeys(range(len(parts)), DROP)) == before
    assert (parts == ()) == (before == after)


@given(PAIRS)
def test_hunks_are_those_of_the_patch(pair: tuple[str, str]) -> None:
    patch = unified(*pair, "f")
    heads = [line for line in patch.split("\n")[2:] if line.startswith("@@")]
    parts = hunks(*pair)
    assert [hunk.header for hunk in parts] == heads
    assert [hunk.number for hunk in parts] == list(range(len(heads)))
    assert hunks_of(patch) == parts


@given(PAIRS, st.data())
def test_any_subset_is_exactly_the_sum_of_its_hunks(
    pair: tuple[str, str], data: st.DataObject
) -> None:
    before, after = pair
    parts = hunks(before, after)
    kept = data.draw(st.sets(st.sampled_from(range(len(parts))))) if parts else set()
    choices = {hunk.number: KEEP if hunk.number in kept else DROP for hunk in parts}
    made = result(before, parts, choices)
    # One at a time, the last first, so that the places of the earlier ones stay: the same text.
    one_by_one = before
    for number in sorted(kept, reverse=True):
        one_by_one = result(one_by_one, parts[number : number + 1], {})
    assert made == one_by_one
    # and it applies cleanly: as a patch, and as hunks on the untouched file
    assert apply(before, unified(before, made, "f")) == made
    assert not any(fits(before, parts).values())
    assert merged(before, parts, choices) == made


@given(PAIRS)
def test_a_hunk_turned_round_takes_it_back(pair: tuple[str, str]) -> None:
    before, after = pair
    turned = [reversed_hunk(hunk) for hunk in hunks(before, after)]
    assert result(after, turned, {}) == before
    assert [reversed_hunk(hunk) for hunk in turned] == list(hunks(before, after))


@given(PAIRS)
def test_editing_nothing_is_keeping(pair: tuple[str, str]) -> None:
    before, after = pair
    parts = hunks(before, after)
    for hunk in parts:
        assert edited(hunk, editable(hunk)) == hunk.new
    choices = {hunk.number: Choice("edited", editable(hunk)) for hunk in parts}
    assert result(before, parts, choices) == after


@given(PAIRS, TEXTS)
def test_an_edit_changes_its_own_lines_only(pair: tuple[str, str], text: str) -> None:
    before, after = pair
    for hunk in hunks(before, after):
        made = edited(hunk, text)
        assert made[: hunk.lead] == hunk.new[: hunk.lead]
        assert made[len(made) - hunk.trail :] == hunk.new[len(hunk.new) - hunk.trail :]
        inner = made[hunk.lead : len(made) - hunk.trail]
        written = "".join(inner).replace("\r\n", "\n")
        assert written.rstrip("\r\n") == text.replace("\r\n", "\n").rstrip("\r\n")
        assert all(line.endswith("\n") for line in made[:-1])


def test_a_persons_lines_take_the_ends_of_the_file() -> None:
    before = "a\r\nb\r\nc\r\n"
    parts = hunks(before, "a\r\nB\r\nc\r\n")
    choices = {0: Choice("edited", "one\ntwo")}
    assert result(before, parts, choices) == "a\r\none\r\ntwo\r\nc\r\n"
    assert result(before, parts, {0: Choice("edited", "")}) == "a\r\nc\r\n"


def test_mixed_ends_stay_where_they_were() -> None:
    before, after = "a\nb\n", "a\nx\r\ny\nz\n"
    parts = hunks(before, after)
    made = result(before, parts, {0: Choice("edited", "x\nY\nz\n")})
    assert made == "a\nx\r\nY\nz\n"


def test_a_file_without_a_last_newline_keeps_its_end() -> None:
    before, after = "a\nb", "a\nc"
    parts = hunks(before, after)
    assert result(before, parts, {0: Choice("edited", "d")}) == "a\nd"
    assert result(before, parts, {0: Choice("edited", "d\n")}) == "a\nd\n"
    above = hunks("a\nb", "x\nb")
    assert result("a\nb", above, {0: Choice("edited", "y")}) == "y\nb"


def test_new_and_emptied_files_are_one_hunk() -> None:
    (made,) = hunks("", "a\nb\n")
    assert (made.header, made.old, made.new) == ("@@ -0,0 +1,2 @@", (), ("a\n", "b\n"))
    (emptied,) = hunks("a\nb\n", "")
    assert (emptied.header, emptied.old, emptied.new) == ("@@ -1,2 +0,0 @@", ("a\n", "b\n"), ())
    assert fits("", [made]) == {0: ""}
    assert fits("other\n", [made]) == {0: "the file is not empty any more"}


def test_hunks_find_their_place_again_when_lines_came_above() -> None:
    parts = hunks(MANY, changed(MANY, _10="ten\n", _40=""))
    now = "new\n" * 7 + changed(MANY, _25="between\n")
    assert fits(now, parts) == {0: "", 1: ""}
    assert merged(now, parts, {}) == changed(now, _10="ten\n", _40="")
    assert merged(now, parts, {1: DROP}) == changed(now, _10="ten\n")


def test_a_hunk_whose_lines_changed_says_so_and_the_others_apply() -> None:
    parts = hunks(MANY, changed(MANY, _10="ten\n", _25="mid\n", _40="forty\n"))
    now = changed(MANY, _11="somebody else's\n", _40="forty\n")
    told = fits(now, parts)
    assert told == {
        0: "its lines near line 8 are not in the file any more",
        1: "",
        2: "the file has it already",
    }
    assert merged(now, parts, {}) == changed(now, _25="mid\n")
    assert fits("", parts)[0] == "the file is empty now"


def test_a_hunk_with_two_places_as_near_is_not_guessed() -> None:
    parts = hunks("a\nx\nb\n", "a\ny\nb\n")
    block = "a\nx\nb\n"
    moved = [Hunk(0, 10, 10, parts[0].rows)]
    near = "-\n" * 6 + block + "-\n" * 9 + block
    assert merged(near, moved, {}) == near.replace("x", "y", 1)
    even = "-\n" * 6 + block + "-\n" * 3 + block
    assert fits(even, [Hunk(0, 10, 10, parts[0].rows)])[0].startswith("its lines moved, and stand")


def test_a_hunk_that_ends_the_file_open_is_never_followed_by_lines() -> None:
    parts = hunks("a\nb\n", "a\nb")
    assert fits("a\nb\n", parts) == {0: ""}
    assert fits("a\nb\nc\n", parts)[0]
    assert merged("a\nb\nc\n", parts, {}) == "a\nb\nc\n"
