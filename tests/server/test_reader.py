"""The reader: any cut of the bytes gives the same message, and every server's habits are known."""

import collections
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.protocol.events import PromptProgress, ReasoningDelta, TextDelta, ToolCallDelta
from qcode.protocol.messages import AssistantMessage, Reasoning, Text, ToolCall
from qcode.server.failures import Cut, Refusal, Unusable
from qcode.server.reader import Finished, Limits, Reader
from tests.server.streams import DONE, call, delta, end, event, read, shown

ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """An event stream as servers send them, with any line ends."""
    words = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
        ["<think>", "</think>", "\n", "<th", "ink>", "\ud83d", "x\udc80"]
    )
    pieces = st.one_of(
        st.builds(lambda text: delta(content=text), words),
        st.builds(lambda text: delta(reasoning_content=text), words),
        st.builds(lambda text: delta(reasoning=text), words),
        st.builds(
            lambda at, name, text: call(at, name=name, arguments=text),
            st.integers(0, 2),
            st.sampled_from(["", "read", "shell"]),
            words,
        ),
        st.just(b": keep-alive\n\n"),
        st.just(b"event: message\n"),
        st.just(delta(content=None)),
        st.just(event({"choices": []})),
    )
    parts = draw(st.lists(pieces, max_size=12))
    finish = draw(st.sampled_from(["stop", "tool_calls", "length"]))
    return b"".join([*parts, end(finish)]).replace(b"\n", draw(ENDS))


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    at = sorted({min(place, len(data)) for place in places})
    return [data[a:b] for a, b in zip([0, *at], [*at, len(data)], strict=True)]


@given(streams(), st.lists(st.integers(0, 2000), max_size=30))
def test_any_cut_of_the_bytes_gives_the_same_message(data: bytes, places: list[int]) -> None:
    reader = Reader()
    items = [item for piece in cut(data, places) for item in reader.feed(piece)]
    assert reader.finish() == read(data)
    assert all(item for item in items)


@given(streams(), st.lists(st.integers(0, 2000), max_size=30))
def test_any_cut_gives_the_same_message_where_the_prompt_opened_the_reasoning(
    data: bytes, places: list[int]
) -> None:
    reader, whole = Reader("on", begin="opened"), Reader("on", begin="opened")
    for piece in cut(data, places):
        reader.feed(piece)
    whole.feed(data)
    assert reader.finish() == whole.finish()


@given(streams())
def test_a_byte_at_a_time_gives_the_same_message(data: bytes) -> None:
    reader = Reader()
    for at in range(len(data)):
        reader.feed(data[at : at + 1])
    assert reader.finish() == read(data)


@given(streams())
def test_what_is_stored_can_always_be_encoded(data: bytes) -> None:
    message = read(data).message
    f"{message.text}{message.reasoning}{message.calls}".encode()


def test_text_reasoning_and_calls_become_one_message() -> None:
    data = (
        delta(role="assistant", content=None)
        + delta(reasoning_content="Look ")
        + delta(reasoning_content="first.")
        + delta(content="I look.")
        + call(0, id="a", name="read", arguments='{"path": ')
        + call(0, arguments='"a.py"}')
        + end("tool_calls")
    )
    parts = (
        Reasoning("Look first."),
        Text("I look."),
        ToolCall("a", "read", '{"path": "a.py"}'),
    )
    assert read(data).message == AssistantMessage(parts, "tool_calls")


def test_deltas_that_arrive_together_are_shown_as_one() -> None:
    together = delta(content="a") + delta(content="b") + delta(reasoning="c") + delta(content="d")
    assert shown(together) == [TextDelta("ab"), ReasoningDelta("c"), TextDelta("d")]


def test_a_delta_is_shown_as_soon_as_its_event_is_whole() -> None:
    assert shown(delta(content="a"), delta(content="b")) == [TextDelta("a"), TextDelta("b")]


def test_a_call_is_shown_while_it_is_written() -> None:
    data = call(0, id="a", name="write", arguments='{"p'), call(0, arguments='ath": ""}')
    first, second = ToolCallDelta(0, "write", 3, '{"p'), ToolCallDelta(0, "write", 12, 'ath": ""}')
    assert shown(*data) == [first, second]


def test_the_same_reasoning_under_two_names_is_taken_once() -> None:
    data = delta(reasoning="so", reasoning_content="so") + delta(content="x") + end()
    assert read(data).message.reasoning == "so"


def test_arguments_stay_the_text_that_the_model_wrote() -> None:
    written = '{ "b":1,\n"a" : "\\u00e9" }'
    assert read(call(0, id="i", name="n", arguments=written) + end()).message.calls == (
        ToolCall("i", "n", written),
    )


def test_arguments_sent_as_an_object_keep_their_order() -> None:
    data = call(0, id="i", name="n", arguments={"b": 1, "a": "x"}) + end()
    assert read(data).message.calls[0].arguments == '{"b":1,"a":"x"}'


def test_usage_and_timings_of_llamacpp_are_told() -> None:
    usage = {
        "prompt_tokens": 18204,
        "completion_tokens": 96,
        "prompt_tokens_details": {"cached_tokens": 15872},
    }
    timings = {
        "cache_n": 15872,
        "prompt_n": 2332,
        "prompt_per_second": 1302.7,
        "predicted_n": 96,
        "predicted_per_second": 103.1,
    }
    told = read(
        delta(content="x") + delta("stop") + event({"usage": usage, "timings": timings}) + DONE
    ).usage
    assert (told.prompt_tokens, told.cached_tokens, told.generated_tokens) == (18204, 15872, 96)
    assert (told.prompt_per_second, told.generated_per_second) == (1302.7, 103.1)


def test_what_the_server_did_not_say_is_unknown_and_not_zero() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": None}
    told = read(delta(content="x") + delta("stop") + event({"usage": usage}) + DONE).usage
    assert told.cached_tokens is None
    assert told.prompt_per_second is None


def test_timings_alone_tell_the_length_of_the_prompt() -> None:
    timings = {"cache_n": 10, "prompt_n": 5, "predicted_n": 3}
    told = read(delta(content="x") + delta("stop") + event({"timings": timings}) + DONE).usage
    assert (told.prompt_tokens, told.cached_tokens, told.generated_tokens) == (15, 10, 3)


def test_prompt_progress_is_told() -> None:
    progress = {"total": 18204, "cache": 15872, "processed": 16896, "time_ms": 812}
    data = event({"choices": [], "prompt_progress": progress})
    assert shown(data) == [PromptProgress(18204, 15872, 16896, 0.812)]


@pytest.mark.parametrize("data", [b"", delta(content="half"), delta(reasoning="hm") + b"data: {"])
def test_a_stream_without_an_end_is_cut(data: bytes) -> None:
    with pytest.raises(Cut):
        read(data)


def test_a_finish_reason_is_enough_where_done_never_comes() -> None:
    assert read(delta(content="x") + delta("stop").rstrip()).message.text == "x"


def test_done_is_enough_where_a_finish_reason_never_comes() -> None:
    assert read(delta(content="x") + DONE).message.finish == "stop"


def test_an_empty_answer_is_a_message_without_parts() -> None:
    assert read(end()).message == AssistantMessage(())


def test_calls_make_the_finish_whatever_the_server_says() -> None:
    data = call(0, id="i", name="n", arguments="{}") + end("stop")
    assert read(data).message.finish == "tool_calls"


def test_calls_that_a_server_dropped_can_still_be_told() -> None:
    message = read(delta(content="x") + end("tool_calls")).message
    assert (message.finish, message.calls) == ("tool_calls", ())


def test_a_call_cut_off_by_the_limit_is_left_out() -> None:
    finished = read(
        call(0, id="a", name="read", arguments='{"path": "x"}')
        + call(1, id="b", name="write", arguments='{"path": "y", "content": "half')
        + end("length")
    )
    assert [one.id for one in finished.message.calls] == ["a"]
    assert finished.message.finish == "length"
    assert "write was cut off at 30 characters" in finished.repairs[0].what


def test_a_call_that_the_server_closed_at_the_limit_is_left_out_too() -> None:
    data = call(0, id="a", name="write", arguments='{"content": "half"}') + end("length")
    assert read(data).message.calls == ()


@pytest.mark.parametrize(
    "broken",
    [
        event({"error": {"message": "Compute error.", "code": 500}}),
        event({"error": "Compute error."}),
        event({"object": "error", "message": "Compute error.", "code": 500}),
    ],
)
def test_an_error_within_the_stream_is_raised_with_its_words(broken: bytes) -> None:
    with pytest.raises(Refusal) as raised:
        read(delta(content="x") + broken)
    assert raised.value.words == "Compute error."


def test_an_error_whose_words_are_not_escaped_is_an_error_still() -> None:
    broken = b'data: {"error": "Expecting value: "x"\nline 2"}\n\n'
    with pytest.raises(Refusal, match="Expecting value"):
        read(delta(content="x") + broken)


def test_lone_surrogates_are_made_valid_where_they_enter() -> None:
    data = b'data: {"choices":[{"delta":{"content":"a\\udc80b"}}]}\n\n' + end()
    assert read(data).message.text == "a\ufffdb"


def test_invalid_utf8_is_made_valid_where_it_enters() -> None:
    data = b'data: {"choices":[{"delta":{"content":"a\xffb"}}]}\n\n' + end()
    assert read(data).message.text == "a\ufffdb"


def test_data_over_several_lines_is_one_event() -> None:
    data = b'data: {"choices":\ndata: [{"delta":{"content":"x"}}]}\n\n' + end()
    assert read(data).message.text == "x"


def test_events_without_a_blank_line_between_them_are_read() -> None:
    data = delta(content="a").rstrip() + b"\n" + delta(content="b") + end()
    assert read(data).message.text == "ab"


def test_a_byte_order_mark_is_no_part_of_the_stream() -> None:
    assert read(b"\xef\xbb\xbf" + delta(content="x") + end()).message.text == "x"


def test_only_the_first_of_several_answers_is_read() -> None:
    second = event({"choices": [{"index": 1, "delta": {"content": "no"}}]})
    assert read(delta(content="yes") + second + end()).message.text == "yes"


def test_an_answer_that_was_not_streamed_is_read_whole() -> None:
    reader = Reader()
    body = b'{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}'
    assert reader.feed_whole(body) == [TextDelta("x")]
    assert reader.finish().message.text == "x"


def test_a_web_page_is_no_stream_and_is_quoted() -> None:
    with pytest.raises(Unusable, match="<!doctype html>"):
        read(b"<!doctype html>\n<title>Router</title>\n")


@pytest.mark.parametrize(
    ("limits", "data"),
    [
        (Limits(event_bytes=100), b"data: " + b"x" * 60),
        (Limits(text_characters=10), delta(content="x" * 6)),
        (Limits(text_characters=10), delta(reasoning="x" * 6)),
        (Limits(text_lines=10), delta(content="x\n" * 6)),
        (Limits(argument_characters=10), call(0, name="n", arguments="x" * 6)),
    ],
)
def test_a_server_that_never_ends_is_refused(limits: Limits, data: bytes) -> None:
    reader = Reader(limits=limits)
    with pytest.raises(Unusable):
        collections.deque((reader.feed(data) for _ in range(10)), maxlen=0)


def test_a_server_that_asks_for_endless_tools_is_refused() -> None:
    reader = Reader(limits=Limits(calls=3))
    for at in range(3):
        reader.feed(call(at, name="n", arguments="{}"))
    with pytest.raises(Unusable, match="more than 3 tools"):
        reader.feed(call(3, name="n", arguments="{}"))


def test_noise_without_end_is_refused() -> None:
    with pytest.raises(Unusable):
        Reader().feed(b"noise\n" * 2000)


def test_nested_json_without_end_is_refused() -> None:
    with pytest.raises(Unusable):
        Reader().feed(b"data: " + b"[" * 200_000 + b"\n\n")


def salvaged(data: bytes) -> Finished | None:
    reader = Reader()
    reader.feed(data)
    return reader.salvage()


def test_a_finished_answer_survives_an_error_at_its_end() -> None:
    kept = salvaged(delta(content="All done."))
    assert kept is not None
    assert kept.message == AssistantMessage((Text("All done."),))


def test_whole_calls_survive_an_error_at_the_end() -> None:
    kept = salvaged(call(0, id="i", name="n", arguments='{"a": 1}'))
    assert kept is not None
    assert kept.message.finish == "tool_calls"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        delta(reasoning="only thoughts"),
        delta(content="I write.") + call(0, name="write", arguments='{"content": "half'),
    ],
)
def test_half_an_answer_does_not_survive(data: bytes) -> None:
    assert salvaged(data) is None


def test_a_plain_answer_filed_under_reasoning_is_text_when_thinking_is_off() -> None:
    data = delta(reasoning="Hello.") + end()
    assert read(data, Reader("off")).message.text == "Hello."
    assert read(data, Reader("on")).message.text == ""


OPENED = "Look first.\nThen <b>act</b>."


def opened(*pieces: bytes) -> tuple[Reader, str]:
    """Fed to a reader that knows the reasoning opened; and what it showed as reasoning."""
    reader = Reader("on", begin="opened")
    items = [item for piece in pieces for item in reader.feed(piece)]
    return reader, "".join(item.text for item in items if isinstance(item, ReasoningDelta))


@pytest.mark.parametrize("mark", ["", "<think>\n"])
def test_where_the_prompt_opened_it_reasoning_is_told_while_it_streams(mark: str) -> None:
    reader, shown = opened(delta(content=mark + OPENED))
    assert shown == OPENED
    reader.feed(delta(content="\n</think>\n\nDone.") + end("stop"))
    finished = reader.finish()
    assert finished.message.parts == (Reasoning(OPENED), Text("Done."))
    assert finished.separates is False


def test_what_no_mark_closes_was_an_answer_unless_the_limit_cut_it() -> None:
    reader, _ = opened(delta(content=OPENED), end("stop"))
    finished = reader.finish()
    assert (finished.message.parts, finished.separates) == ((Text(OPENED),), None)
    reader, _ = opened(delta(content=OPENED), end("length"))
    assert reader.finish().message.parts == (Reasoning(OPENED),)


def test_a_field_of_its_own_shows_that_the_content_is_none() -> None:
    reader, shown = opened(delta(reasoning_content="Hm."), delta(content="So be it."), end("stop"))
    finished = reader.finish()
    assert (shown, finished.separates) == ("Hm.", True)
    assert finished.message.parts == (Reasoning("Hm."), Text("So be it."))


def test_marks_without_thinking_say_nothing_of_the_server() -> None:
    reader = Reader("off")
    reader.feed(delta(content="</think>\n\nSo be it.") + end("stop"))
    assert reader.finish().separates is None
