"""Ollama's own chat API: what a request becomes, and what its lines amount to."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.protocol.events import ReasoningDelta, TextDelta
from qcode.protocol.messages import (
    AssistantMessage,
    Image,
    Message,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
    user,
)
from qcode.server.adapters.ollama_chat import LINES, body
from qcode.server.failures import Cut, Refusal, Unusable
from qcode.server.reader import Finished, Limits, Reader
from qcode.server.shape import wire_messages

ANSWERS: Mapping[str, Mapping[str, Any]] = json.loads(
    (Path(__file__).with_name("lines") / "ollama.json").read_text(encoding="utf-8")
)["answers"]

MODEL: list[Message] = [
    user("Read both."),
    AssistantMessage(
        (
            Reasoning("Two files."),
            Text("I read."),
            ToolCall("c1", "read", '{"path": "b.py", "from": 1}'),
            ToolCall("c2", "glob", "{}"),
        ),
        "tool_calls",
    ),
    ToolMessage("c1", "read", "1: b"),
    ToolMessage("c2", "glob", "a.py"),
]


def line(**fields: Any) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def said(content: str) -> bytes:
    return line(message={"role": "assistant", "content": content}, done=False)


DONE = line(message={"role": "assistant", "content": ""}, done=True, done_reason="stop")


def reader(limits: Limits | None = None) -> Reader:
    return Reader(limits=limits, form=LINES)


def read(*pieces: bytes) -> Finished:
    one = reader()
    for piece in pieces:
        one.feed(piece)
    return one.finish()


def native(messages: list[Message]) -> list[dict[str, Any]]:
    wired = wire_messages("Be brief.", messages, "plain", "thinking")
    found: list[dict[str, Any]] = body({"messages": wired})["messages"]
    return found


def test_messages_are_said_in_its_words() -> None:
    assert native(MODEL) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Read both."},
        {
            "role": "assistant",
            "content": "I read.",
            "thinking": "Two files.",
            "tool_calls": [
                {
                    "id": "c1",
                    "function": {"name": "read", "arguments": {"path": "b.py", "from": 1}},
                },
                {"id": "c2", "function": {"name": "glob", "arguments": {}}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "1: b", "tool_name": "read"},
        {"role": "tool", "tool_call_id": "c2", "content": "a.py", "tool_name": "glob"},
    ]


def test_arguments_keep_the_order_of_the_model() -> None:
    calls = native(MODEL)[2]["tool_calls"]
    assert json.dumps(calls[0]["function"]["arguments"]) == '{"path": "b.py", "from": 1}'


@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"', "[" * 100_000])
def test_arguments_that_are_no_object_break_no_request(text: str) -> None:
    broken = AssistantMessage((ToolCall("c", "read", text),), "tool_calls")
    assert native([user("x"), broken])[2]["tool_calls"][0]["function"]["arguments"] == {}


def test_pictures_stand_beside_the_text_without_their_address() -> None:
    parts = (Text("What "), Text("is it?"), Image("image/png", "iVBOR"), Image("image/gif", "R0lG"))
    assert native([UserMessage(parts)])[1] == {
        "role": "user",
        "content": "What is it?",
        "images": ["iVBOR", "R0lG"],
    }


def test_names_with_a_dot_become_fields_of_an_object_and_extra_ones_join_them() -> None:
    sent = {"model": "m", "options.num_ctx": 65_536, "options.top_k": 20, "think": True}
    more = {"options": {"num_gpu": 9, "top_k": 1}, "keep_alive": "1h"}
    assert body({**sent, **more, "messages": [], "stream": True}) == {
        "model": "m",
        "options": {"num_ctx": 65_536, "top_k": 1, "num_gpu": 9},
        "think": True,
        "keep_alive": "1h",
        "messages": [],
        "stream": True,
    }


WORDS = st.text(max_size=8)
NAMES = st.sampled_from(["read", "glob"])
ARGUMENTS = st.dictionaries(WORDS, WORDS | st.integers() | st.none(), max_size=3).map(json.dumps)
CALLS = st.lists(st.builds(ToolCall, st.sampled_from(["c1", "c2"]), NAMES, ARGUMENTS), max_size=2)


@st.composite
def talks(draw: st.DrawFn) -> list[Message]:
    told: list[Message] = []
    for _ in range(draw(st.integers(1, 5))):
        told.append(user(draw(WORDS)))
        calls = draw(CALLS)
        parts: tuple[Reasoning | Text | ToolCall, ...]
        parts = (Reasoning(draw(WORDS)), Text(draw(WORDS)), *calls)
        told.append(AssistantMessage(parts, "tool_calls" if calls else "stop"))
        told += [ToolMessage(call.id, call.name, draw(WORDS)) for call in calls]
    return told


@given(talks(), st.data())
def test_what_was_said_once_is_said_in_the_same_words_again(
    talk: list[Message], data: st.DataObject
) -> None:
    shorter = native(talk[: data.draw(st.integers(0, len(talk)))])
    longer = native(talk)
    assert json.dumps(longer[: len(shorter)]) == json.dumps(shorter)


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("size", [1, 7, 100, 1 << 20])
def test_an_answer_amounts_to_the_same_however_it_is_cut(name: str, size: int) -> None:
    told = ANSWERS[name]
    lines = (json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in told["lines"])
    stream = b"".join(lines)
    found = read(*(stream[at : at + size] for at in range(0, len(stream), size)))
    message, usage = found.message, found.usage
    assert (message.reasoning, message.text) == (told["reasoning"], told["text"])
    assert [[call.id, call.name, call.arguments] for call in message.calls] == told["calls"]
    assert message.finish == told["finish"]
    assert [
        usage.prompt_tokens,
        usage.cached_tokens,
        usage.generated_tokens,
        usage.prompt_per_second,
        usage.generated_per_second,
    ] == told["usage"]
    assert not found.repairs


def test_a_line_is_shown_as_soon_as_it_is_whole() -> None:
    one = reader()
    thought = line(message={"role": "assistant", "content": "", "thinking": "So."}, done=False)
    assert one.feed(thought) == [ReasoningDelta("So.")]
    assert one.feed(said("a") + said("b")[:-4]) == [TextDelta("a")]
    assert one.feed(said("b")[-4:]) == [TextDelta("b")]


def test_the_last_line_needs_no_line_end_and_empty_ones_are_none() -> None:
    assert read(b"\n\r\n" + said("a") + b"\n", DONE.rstrip()).message.text == "a"


@pytest.mark.parametrize(
    "end",
    [b"", line(message={"role": "assistant", "content": ""}, done=True), DONE[:-10]],
    ids=["nothing", "an end without a reason", "half an end"],
)
def test_an_answer_without_its_end_is_cut(end: bytes) -> None:
    """An end without a reason is that of a runner which went away."""
    with pytest.raises(Cut):
        read(said("Half of i"), end)


def test_an_error_within_the_stream_is_one() -> None:
    words = "model runner has unexpectedly stopped"
    with pytest.raises(Refusal) as told:
        read(said("Half"), line(error=words, status=500))
    assert told.value.words == words


@pytest.mark.parametrize("odd", [b"404 page not found\n", b"[1, 2]\n", b'{"message": 3}\n'])
def test_what_is_no_line_of_it_cannot_be_used(odd: bytes) -> None:
    with pytest.raises(Unusable):
        read(odd)


def test_a_line_without_end_is_refused() -> None:
    one = reader(Limits(event_bytes=1_000))
    with pytest.raises(Unusable, match="1,000 bytes"):
        list(map(one.feed, [b'{"x": "xxxxx'] * 200))


def test_odd_characters_become_valid_ones() -> None:
    lone = b'{"message": {"role": "assistant", "content": "a\\ud800b\xff"}, "done": false}\n'
    read(lone, DONE).message.text.encode()


def test_a_call_that_leaked_into_the_text_is_found_there() -> None:
    """The reader is one, whatever brought the text."""
    tool = {"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}
    leak = "<tool_call>\n<function=read>\n<parameter=path>\na.py\n</parameter>\n</function>\n"
    one = Reader(tools=[tool], form=LINES)
    one.feed(said(leak + "</tool_call>") + DONE)
    found = one.finish()
    assert [call.name for call in found.message.calls] == ["read"]
    assert found.repairs
