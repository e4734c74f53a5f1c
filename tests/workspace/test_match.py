"""Finding the passage that an edit means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.workspace.closest import closest, placeholder
from qcode.workspace.match import match, without_numbers
from qcode.workspace.passage import flat, put

CODE = """\
class A:
    def one(self):
        return 1@@

    def two(self):
        if True:
            return "“two”"
\tdef tab(self):
\t\treturn 2
""".replace("@", " ")


def edited(text: str, old: str, new: str) -> tuple[str, str]:
    """The step, and the text afterwards; the match must be the only one."""
    found = match(text, old, new)
    assert found is not None
    assert len(found.places) == 1
    return found.step, put(text, found.places)


@pytest.mark.parametrize(
    ("old", "new", "step", "before", "after"),
    [
        ("return 1", "return 3", "exact", "return 1  \n", "return 3  \n"),
        (
            "    def one(self):\n        return 1\n\n    def two",
            "    def one(self):\n        return 3\n\n    def two",
            None, "", "",
        ),
        (
            "    def one(self):   \n        return 1\n",
            "    def one(self):   \n        return 3\n",
            "blanks at line ends ignored",
            "    def one(self):\n        return 1  \n", "    def one(self):\n        return 3\n",
        ),
        (
            "        return 1\n\n    def two(self):\n",
            "        return 1\n\n    def three(self):\n",
            "blanks at line ends ignored",
            "        return 1  \n\n    def two(self):\n",
            "        return 1  \n\n    def three(self):\n",
        ),
        (
            "def two(self):\n    if True:",
            "def two(self):\n    # why\n\n    if False:",
            "indentation shifted",
            "    def two(self):\n        if True:\n",
            "    def two(self):\n        # why\n\n        if False:\n",
        ),
        (
            "            def two(self):\n                if True:",
            "            def two(self):\n                if False:",
            "indentation shifted",
            "        if True:\n", "        if False:\n",
        ),
        (
            "    def tab(self):\n        return 2\n",
            "    def tab(self):\n        if x:\n            return 3\n",
            "indentation shifted",
            "\t\treturn 2\n", "\t\tif x:\n\t\t\treturn 3\n",
        ),
        (
            "    5\t    def two(self):\n    6\t        if True:",
            "    5\t    def two(self):\n    6\t        if False:",
            "line numbers removed",
            "        if True:\n", "        if False:\n",
        ),
        (
            "5:def two(self):\n6:    if True:",
            "def two(self):\n    if False:",
            "line numbers removed",
            "        if True:\n", "        if False:\n",
        ),
        (
            'return "\\"two\\""'.replace("\\", ""),
            'return "\\"too\\""'.replace("\\", ""),
            "typographic characters taken as plain ones",
            '"“two”"', '"“too”"',
        ),
    ],
)  # fmt: skip
def test_each_step_finds_what_it_should(
    old: str, new: str, step: str | None, before: str, after: str
) -> None:
    if step is None:
        assert match(CODE, old, new) is None  # the last line is quoted in part: not whole lines
        return
    assert before in CODE
    assert edited(CODE, old, new) == (step, CODE.replace(before, after))


@pytest.mark.parametrize(
    "old",
    [
        "    def one(self):\n        return 11\n",
        "class A:\n        def one(self):\n",  # the lines are shifted against each other
        "def one(self):\nreturn 1\n",
        "def one(self): return 1",
        "5\tdef one(self):\n7\t    return 1",
        "one(self):\n    return 1  ",
        "\n \n",
        " \t ",
        "retrun 1",
        "return  1",
        "def two(self):\n  if True:",
    ],
)
def test_what_only_resembles_the_passage_is_no_match(old: str) -> None:
    assert match(CODE, old, "x") is None


def test_several_matches_are_told_and_no_looser_step_is_tried() -> None:
    text = "a = 1\n    a = 1\n  b\n"
    found = match(text, "a = 1", "a = 2")
    assert found is not None
    assert (found.step, [place.start for place in found.places]) == ("exact", [0, 10])
    text = "if x:\n    a = 1 \nif y:\n    a = 1\t\n"
    found = match(text, "    a = 1\n", "")
    assert found is not None
    assert (found.step, len(found.places)) == ("blanks at line ends ignored", 2)
    overlapping = match("aaa", "aa", "b")
    assert overlapping is not None
    assert len(overlapping.places) == 2


def test_a_last_line_without_its_end_keeps_it_so() -> None:
    assert edited("a\nb  ", "b\n", "c\n") == ("blanks at line ends ignored", "a\nc")
    assert edited("a\n  b", "b", "c") == ("exact", "a\n  c")


def test_deleting_whole_lines_leaves_no_empty_one() -> None:
    assert edited("a\nb  \nc\n", "b\nc\n", "c\n")[1] == "a\nc\n"
    assert edited("a\nb  \nc\n", "b\n", "")[1] == "a\nc\n"


TEXT = st.text(alphabet="ab \n\t", max_size=30)


@given(TEXT, TEXT.filter(bool), TEXT, TEXT)
def test_an_exact_match_is_the_one_that_replacing_finds(
    head: str, old: str, tail: str, new: str
) -> None:
    text = head + old + tail
    found = match(text, old, new)
    assert found is not None
    assert found.step == "exact"
    if len(found.places) == 1:
        assert put(text, found.places) == text.replace(old, new)


@given(
    st.lists(st.sampled_from(["a", "b(", " c ", "", "\td", "é", "“q”"]), min_size=1, max_size=8),
    st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=8, max_size=8),
    st.data(),
)
def test_what_is_not_replaced_keeps_every_byte(
    lines: list[str], ends: list[str], data: st.DataObject
) -> None:
    raw = "".join(line + end for line, end in zip(lines, ends, strict=False))
    text = flat(raw)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    new = data.draw(st.sampled_from(["", "x", "x\ny", "x\ny\n", text[start:end] + "z"]))
    found = match(text, text[start:end], new)
    assert found is not None
    place = next(place for place in found.places if place.start == start)
    after = put(raw, (place,))
    assert flat(after) == text[:start] + new + text[end:] or "\r" in text
    head = raw_length(raw, start)
    tail = len(raw) - raw_length(raw, end)
    assert after[:head] == raw[:head]
    assert after[len(after) - tail :] == raw[len(raw) - tail :]


def raw_length(raw: str, count: int) -> int:
    """How much of `raw` becomes that many characters once flat."""
    at = 0
    for _ in range(count):
        at += 2 if raw[at : at + 2] == "\r\n" else 1
    return at


def test_new_lines_end_as_those_around_them() -> None:
    raw = "a\r\nb\r\nc\n"
    found = match(flat(raw), "b\n", "b\nx\n")
    assert found is not None
    assert put(raw, found.places) == "a\r\nb\r\nx\r\nc\n"
    found = match(flat(raw), "c", "c\nx")
    assert found is not None
    assert put(raw, found.places) == "a\r\nb\r\nc\nx\n"


def test_line_numbers_must_count_up() -> None:
    assert without_numbers("  7\ta\n  8\t\n  9\tb\n") == "a\n\nb\n"
    assert without_numbers("7: a\n8\n9: b") == "a\n\nb"
    assert without_numbers("7→a") == "a"
    assert without_numbers("7:a\n8-  b\n9: c") == "a\n  b\n c"
    assert without_numbers("12 | a\n13 |   b") == "a\n  b"
    assert without_numbers("7 a") is None
    assert without_numbers("7: a\n9: b") is None
    assert without_numbers("7: a\nb") is None


@given(TEXT, TEXT)
def test_the_closest_passage_stands_in_the_text(text: str, old: str) -> None:
    passage = closest(text, old)
    if passage is not None:
        lines = text.split("\n")
        last = passage.first - 1 + len(passage.lines)
        assert lines[passage.first - 1 : last] == list(passage.lines)


def test_the_closest_passage_is_the_one_with_most_of_its_lines() -> None:
    text = "\n".join(f"def f{number}():\n    return {number}\n" for number in range(50))
    passage = closest(text, "def f7():\n    retrun 7\n")
    assert passage is not None
    assert (passage.first, passage.lines[0]) == (22, "def f7():")
    assert passage.difference == "Line 23 is the first that differs."
    passage = closest(text, "def  f7():\n    return 7")
    assert passage is not None
    assert passage.difference == "Line 22 differs in blanks only."
    assert closest(text, "something else entirely, unlike all of it") is None


@pytest.mark.parametrize(
    ("new", "found"),
    [
        ("a\n# ... rest of the code\n", "# ... rest of the code"),
        ("// ... existing code ...", "// ... existing code ..."),
        ("    /* remaining methods unchanged ... */", "/* remaining methods unchanged ... */"),
        ("<!-- ... unchanged ... -->", "<!-- ... unchanged ... -->"),
        ("... rest of function ...", "... rest of function ..."),
        ("(rest of methods ...)", "(rest of methods ...)"),
        ("# … rest unchanged …", "# … rest unchanged …"),
        ('print("... rest of the words")', ""),
        ("...", ""),
        ("def f(): ...", ""),
        ("# the rest of the code is generated", ""),
        ("# see existing callers", ""),
        ("x = [*rest, ...]", ""),
    ],
)
def test_lines_that_stand_for_code_left_out_are_seen(new: str, found: str) -> None:
    assert placeholder(new, "") == found
    assert placeholder(new, f"x\n  {found}\n") == ""
