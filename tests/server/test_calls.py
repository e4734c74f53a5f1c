"""Tool calls come together however a server numbers their pieces."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.server.calls import Slot
from qcode.server.reader import Reader
from tests.server.streams import call, delta, end, read

A, B = '{"path": "a"}', '{"path": "b"}'

Calls = list[tuple[str, str, str]]


def calls(*pieces: bytes) -> Calls:
    message = read(b"".join(pieces) + end("tool_calls")).message
    return [(one.id, one.name, one.arguments) for one in message.calls]


def test_a_name_sent_again_replaces_the_first() -> None:
    assert calls(
        call(0, id="i", name="re"),
        call(0, id="i", name="read_file"),
        call(0, arguments=A),
    ) == [("i", "read_file", A)]


def test_calls_are_told_apart_by_index() -> None:
    assert calls(
        call(0, id="i", name="read"),
        call(1, id="j", name="read"),
        call(0, arguments=A),
        call(1, arguments=B),
    ) == [("i", "read", A), ("j", "read", B)]


def test_without_an_index_the_id_tells_them_apart() -> None:
    assert calls(
        call(None, id="i", name="read", arguments=A[:5]),
        call(None, id="i", arguments=A[5:]),
        call(None, id="j", name="read", arguments=B),
    ) == [("i", "read", A), ("j", "read", B)]


def test_with_neither_a_new_name_begins_the_next_call() -> None:
    assert calls(
        call(None, name="read", arguments=A[:5]),
        call(None, arguments=A[5:]),
        call(None, name="glob", arguments=B),
    ) == [("call_0", "read", A), ("call_1", "glob", B)]


def test_a_used_index_with_another_id_is_another_call() -> None:
    assert calls(
        call(0, id="i", name="read", arguments=A),
        call(0, id="j", name="read", arguments=B[:4]),
        call(0, arguments=B[4:]),
    ) == [("i", "read", A), ("j", "read", B)]


def test_whole_calls_all_numbered_zero_without_ids_are_kept_apart() -> None:
    assert calls(
        call(0, name="read", arguments=A),
        call(0, name="read", arguments=B),
    ) == [("call_0", "read", A), ("call_1", "read", B)]


@pytest.mark.parametrize("index", [0, 1, None])
def test_the_same_whole_call_twice_is_one(index: int | None) -> None:
    again = call(index, id="i", name="read", arguments=A)
    assert calls(call(0, id="i", name="read", arguments=A), again) == [("i", "read", A)]


def test_empty_ids_of_later_pieces_change_nothing() -> None:
    assert calls(
        call(0, id="i", name="read", arguments=A[:5]),
        call(0, id="", name="", arguments=A[5:]),
    ) == [("i", "read", A)]


def test_an_id_in_every_piece_is_the_same_call() -> None:
    assert calls(
        call(0, id="i", name="read", arguments=A[:5]),
        call(0, id="i", name="read", arguments=A[5:]),
    ) == [("i", "read", A)]


def test_a_call_without_a_name_is_left_out_and_told() -> None:
    finished = read(call(0, id="i", arguments=A) + end())
    assert finished.message.calls == ()
    assert "without a name" in finished.repairs[0].what


def test_two_calls_of_one_id_get_ids_of_their_own() -> None:
    found = calls(
        call(0, id="i", name="read", arguments=A), call(1, id="i", name="read", arguments=B)
    )
    assert len({one[0] for one in found}) == 2


def test_arguments_that_are_no_json_are_handed_on_as_they_are() -> None:
    assert calls(call(0, id="i", name="read", arguments="{'path': ")) == [
        ("i", "read", "{'path': ")
    ]


def test_text_around_a_call_is_kept() -> None:
    message = read(
        delta(content="Now.") + call(0, id="i", name="n", arguments="{}") + end()
    ).message
    assert message.text == "Now."


@pytest.mark.parametrize("piece", ["}", "{", '"', "\\\\", "{}", " ", '{"a": "}"}'])
def test_pieces_that_might_each_end_a_call_are_read_in_time(piece: str) -> None:
    reader = Reader()
    began = time.process_time()
    reader.feed(call(None, name="read", arguments='{"a": "'))
    for _ in range(20_000):
        reader.feed(call(None, arguments=piece))
    reader.feed(end())
    reader.finish()
    assert time.process_time() - began < 8


@given(
    st.dictionaries(st.text(), st.recursive(st.text(), lambda inner: st.lists(inner))),
    st.integers(0, 30),
)
def test_a_call_is_whole_when_its_object_is_wherever_it_was_cut(value: object, at: int) -> None:
    text = json.dumps(value, ensure_ascii=False)
    slot = Slot(None)
    at = min(at, len(text) - 1)
    for piece in (text[:at], text[at:-1]):
        slot.add(piece)
        assert not slot.is_whole
    slot.add(text[-1:])
    assert slot.is_whole
    slot.add(" \n")
    assert slot.is_whole
    slot.add("x")
    assert not slot.is_whole
