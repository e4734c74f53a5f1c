"""Lines of JSON that come in pieces, are broken, or never end."""

import itertools
import json
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from qcode.headless.lines import Broken, Line, Lines


def read(pieces: Iterable[bytes], most_bytes: int = 1000) -> list[Line]:
    lines = Lines(most_bytes)
    found = [line for piece in pieces for line in lines.feed(piece)]
    return [*found, *lines.end()]


OBJECTS = st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=3))


@given(OBJECTS, st.lists(st.integers(0, 400)))
def test_any_cut_gives_the_same_lines(objects: list[dict[str, str]], cuts: list[int]) -> None:
    data = b"".join(json.dumps(one).encode() + b"\n" for one in objects)
    ends = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    pieces = [data[one:two] for one, two in itertools.pairwise(ends)]
    assert read(pieces) == objects


def test_blank_lines_say_nothing_and_the_last_needs_no_end() -> None:
    assert read([b'\n  \r\n{"a":1}\r\n{"b":2}']) == [{"a": 1}, {"b": 2}]


def test_a_broken_line_is_told_and_the_next_one_is_read() -> None:
    first, second, third, last = read([b'{"a":\n[1]\n\xff\xfe\n{"b":2}\n'])
    assert isinstance(first, Broken)
    assert "not JSON" in first.why
    assert second == Broken("A line is JSON but no object.")
    assert isinstance(third, Broken)
    assert last == {"b": 2}


def test_a_line_that_is_too_long_is_thrown_away_up_to_its_end() -> None:
    endless = (b"x" * 100 for _ in range(500))
    found = read([b'{"a":"', *endless, b'"}\n{"b":2}\n'])
    assert found == [Broken("A line of 50,008 bytes is too long (at most 1,000)."), {"b": 2}]


def test_lines_nested_without_end_are_broken() -> None:
    (found,) = read([b"[" * 100_000 + b"\n"], 1_000_000)
    assert isinstance(found, Broken)


def test_a_text_that_was_cut_within_a_sign_is_heard() -> None:
    cut = json.dumps({"say": "a\U0001f600"[:2] + "\U0001f600"}).replace("\\ude00", "", 1)
    (found,) = read([cut.encode()])
    assert found == {"say": "a\ufffd\U0001f600"}
    (broken,) = read([b'{"say": "\\ud800" 7}'])
    assert isinstance(broken, Broken)


def test_a_mark_of_the_encoding_says_nothing() -> None:
    assert read(['\ufeff{"say": "hi"}\n'.encode()]) == [{"say": "hi"}]
