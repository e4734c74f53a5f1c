"""Repetition is seen while it streams, and honest repetition is not taken for it."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.server.loops import Kind, Loop, Watch
from tests.server.loops.honest import HONEST
from tests.server.loops.looping import BEFORE, LOOPING

ROOT = Path(__file__).parents[2]
KINDS: tuple[Kind, ...] = ("reasoning", "text", "arguments")


def first(text: str, kind: Kind = "reasoning", size: int = 4) -> tuple[Loop | None, int]:
    """The first loop in a stream of pieces of `size`, and how much of it was written by then."""
    watch = Watch()
    for at in range(0, len(text), size):
        if loop := watch.feed(kind, text[at : at + size]):
            return loop, min(at + size, len(text))
    return None, len(text)


@pytest.mark.parametrize("name", HONEST)
@pytest.mark.parametrize("kind", KINDS)
def test_honest_repetition_is_no_loop(name: str, kind: Kind) -> None:
    for text in (HONEST[name], f"Here it is:\n\n```\n{HONEST[name]}\n```\n\nThat is all.\n"):
        assert first(text + BEFORE, kind)[0] is None


def test_all_that_is_honest_in_one_answer_is_no_loop() -> None:
    parts = (f"Next comes the {name}.\n\n{text}\n\n" for name, text in HONEST.items())
    assert first("".join(parts), size=20)[0] is None


def test_this_projects_own_files_are_no_loops() -> None:
    files = [*ROOT.glob("qcode/**/*.py"), *ROOT.glob("tests/**/*.py"), *ROOT.glob("**/*.md")]
    assert len(files) > 100
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert first(text, "reasoning", 400)[0] is None, file
        assert first(text, "arguments", 400)[0] is None, file


@pytest.mark.parametrize("name", LOOPING)
@pytest.mark.parametrize("kind", ["reasoning", "text"])
def test_a_loop_is_seen_and_its_start_is_told(name: str, kind: Kind) -> None:
    case = LOOPING[name]
    loop, written = first(case.text, kind)
    assert loop is not None
    assert written - len(case.before) <= case.within
    # A few signs before it may happen to be as in the loop; a varied one is told by its line.
    assert -20 <= loop.start - len(case.before) <= len(case.unit)
    assert loop.kind == kind
    assert "\n" not in loop.detail


@pytest.mark.parametrize("name", LOOPING)
def test_a_loop_in_arguments_is_seen_later_but_seen(name: str) -> None:
    case = LOOPING[name]
    if case.numbered:
        pytest.skip("in arguments only what repeats sign for sign is a loop")
    repeated = case.unit * (12_000 // len(case.unit))
    loop, written = first('{"path": "a.py", "content": "' + repeated, "arguments")
    assert loop is not None
    assert written <= max(8_400, 9 * len(case.unit))


@pytest.mark.parametrize("name", LOOPING)
def test_what_is_good_ends_in_a_whole_sentence_before_the_loop(name: str) -> None:
    case = LOOPING[name]
    text = case.text
    loop, written = first(text)
    assert loop is not None
    good = loop.good(text[:written])
    assert text.startswith(good)
    if case.before == BEFORE:
        assert good.startswith(BEFORE.strip()[:-60])
        assert good.endswith((".", "?"))
    assert case.unit * 3 not in good


def test_nothing_is_good_where_no_sentence_ends_before_the_loop() -> None:
    text = "and so " * 300
    loop, _ = first(text)
    assert loop is not None
    assert loop.good(text) == ""


def test_a_number_with_a_point_ends_no_sentence() -> None:
    loop = Loop("text", "", 34)
    assert loop.good("It is version 2.5 of the tool, see x x x x x") == ""


@given(st.sampled_from(sorted(LOOPING)), st.lists(st.integers(1, 700), min_size=1, max_size=40))
def test_however_the_stream_is_cut_the_loop_is_the_same(name: str, sizes: list[int]) -> None:
    text = LOOPING[name].text
    watch, at, turn = Watch(), 0, 0
    loop = None
    while loop is None and at < len(text):
        size = sizes[turn % len(sizes)]
        loop = watch.feed("text", text[at : at + size])
        at, turn = at + size, turn + 1
    assert loop == first(text, "text", 1)[0]


@given(st.text(max_size=30), st.integers(0, 127))
def test_what_stands_before_a_loop_does_not_hide_it(unit: str, shift: int) -> None:
    words = f"again and {unit.strip()} again, "
    loop, _ = first("x" * shift + ". " + words * 60)
    assert loop is not None


@given(st.text(alphabet="ab \n.!", max_size=3_000))
def test_a_start_is_within_the_text(text: str) -> None:
    loop, written = first(text, size=50)
    if loop is not None:
        assert 0 <= loop.start < written
        assert text[:written].startswith(loop.good(text[:written]))


def test_kinds_are_apart() -> None:
    watch = Watch()
    unit = "Wait, let me check the path again. "
    for _ in range(5):  # 175 characters of each: too few alone
        assert watch.feed("reasoning", unit) is None
        assert watch.feed("text", unit) is None
        assert watch.feed("arguments", unit) is None


def test_a_loop_is_told_once_until_it_repeats_anew() -> None:
    watch = Watch()
    told = [watch.feed("text", "I look at it once more. ") for _ in range(50)]
    assert sum(loop is not None for loop in told) == 2  # 1,200 characters, 400 needed each time


def test_memory_does_not_grow_with_the_answer() -> None:
    watch = Watch()
    lines = [f"Line {n} says something of {n * 7919 % 1000}.\n" for n in range(1_000)]

    def feed(rounds: int) -> int:
        tracemalloc.start()
        for _ in range(rounds):
            for line in lines:
                watch.feed("reasoning", line)
        size = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return size

    feed(2)
    assert feed(20) < 300_000  # 700,000 characters
