"""Shapes of history, and the law that they are for: a prompt begins with the prompt before it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcode.protocol.messages import (
    AssistantMessage,
    Image,
    Message,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
    user,
)
from qcode.server.base import Strategy
from qcode.server.shape import (
    last_query,
    template_kwargs,
    wire_message,
    wire_messages,
    wire_tools,
)
from tests.support.render import Style, render_request

FIELD = "reasoning_content"
SPEC = ToolSpec(
    "read", "Read.", '{"type":"object","properties":{"path":{"type":"string"},"count":{}}}'
)
CALL = ToolCall("i", "read", '{"path": "a"}')
ANSWER = AssistantMessage((Reasoning("so\n"), Text("I look."), CALL), "tool_calls")

Thinking = Literal["on", "off"]


@dataclass(frozen=True)
class Step:
    """A request, and what the model generated in answer to it."""

    messages: tuple[Message, ...]
    thinking: Thinking
    generated: str


def generated(message: AssistantMessage, thinking: Thinking) -> str:
    """The text of an answer as a Qwen model writes it behind the generation prompt."""
    words = message.text.strip()
    calls = "\n".join(_generated_call(call) for call in message.calls)
    rest = f"{words}\n\n{calls}" if words and calls else words + calls
    if thinking == "off":
        return rest
    if message.finish == "cancelled" and not rest:
        return message.reasoning.strip()  # ended within its thinking
    return f"{message.reasoning.strip()}\n</think>\n\n{rest}".rstrip("\n")


def _generated_call(call: ToolCall) -> str:
    arguments = json.loads(call.arguments).items()
    values = "".join(f"<parameter={name}>\n{value}\n</parameter>\n" for name, value in arguments)
    return f"<tool_call>\n<function={call.name}>\n{values}</function>\n</tool_call>"


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20) | (
    st.sampled_from(["", " padded \n", "<think>", "see </think> there", "<tool_response>", "1\n2"])
)
SAID = WORDS.filter(lambda words: words.strip() != "")
ARGUMENTS = st.fixed_dictionaries({"path": SAID.map(str.strip)}, optional={"count": st.integers()})


@st.composite
def answers(draw: st.DrawFn, thinking: Thinking, kind: str) -> AssistantMessage:
    reasoning = draw(WORDS.filter(lambda words: "think>" not in words)) if thinking == "on" else ""
    text = draw(WORDS if kind == "calls" else SAID)
    calls: tuple[ToolCall, ...] = ()
    if kind == "calls":
        found = draw(st.lists(ARGUMENTS, min_size=1, max_size=3))
        texts = [json.dumps(value, ensure_ascii=False) for value in found]
        calls = tuple(ToolCall(f"c{at}", "read", text) for at, text in enumerate(texts))
    if kind == "cancelled":
        text = draw(st.sampled_from(["", text])) if reasoning.strip() else text
    parts = (
        *((Reasoning(reasoning),) if reasoning.strip() else ()),
        *((Text(text),) if text.strip() else ()),
        *calls,
    )
    return AssistantMessage(parts, "cancelled" if kind == "cancelled" else "stop")


@st.composite
def conversations(draw: st.DrawFn) -> list[Step]:
    """Requests of a conversation: turns of calls, steering, cancelled answers, thinking on, off."""
    messages: list[Message] = [user(draw(SAID.filter(lambda words: "<tool" not in words)))]
    steps: list[Step] = []
    for _ in range(draw(st.integers(1, 7))):
        thinking: Thinking = draw(st.sampled_from(["on", "off"]))
        answer = draw(answers(thinking, draw(st.sampled_from(["calls", "words", "cancelled"]))))
        steps.append(Step(tuple(messages), thinking, generated(answer, thinking)))
        messages.append(answer)
        messages += [ToolMessage(call.id, call.name, draw(WORDS)) for call in answer.calls]
        if not answer.calls or draw(st.booleans()):  # a new question, or words in between
            messages.append(user(draw(SAID)))
    return [*steps, Step(tuple(messages), "on", "")]


def rendered(step: Step, strategy: Strategy, style: Style) -> str:
    body = {
        "messages": wire_messages("Be good.", step.messages, strategy, FIELD),
        "tools": wire_tools([SPEC]),
        "chat_template_kwargs": {
            "preserve_thinking": False,
            **template_kwargs(strategy, step.thinking),
        },
    }
    return render_request(body, style)


@pytest.mark.parametrize(
    ("strategy", "style"), [("fold", "3.5"), ("fold", "3.6"), ("native", "3.6")]
)
@given(steps=conversations())
def test_a_prompt_begins_with_the_prompt_before_and_its_answer(
    strategy: Strategy, style: Style, steps: list[Step]
) -> None:
    for before, after in pairwise(steps):
        held = rendered(before, strategy, style) + before.generated
        assert rendered(after, strategy, style).startswith(held)


def test_plain_breaks_the_law_at_a_new_question() -> None:
    turn: Sequence[Message] = (user("a"), ANSWER, ToolMessage("i", "read", "x"))
    before = Step(tuple(turn), "on", "")
    after = Step((*turn, AssistantMessage((Text("b"),)), user("c")), "on", "")
    assert not rendered(after, "plain", "3.5").startswith(rendered(before, "plain", "3.5"))


@given(conversations())
def test_a_message_is_shaped_the_same_alone_and_among_others(steps: list[Step]) -> None:
    messages = steps[-1].messages
    query = last_query(messages)
    alone = [
        wire_message(message, "before" if at < query else "after", "fold", FIELD)
        for at, message in enumerate(messages)
    ]
    assert wire_messages("", messages, "fold", FIELD) == alone


def test_fold_puts_old_reasoning_into_the_content_and_a_blank_into_the_field() -> None:
    assert wire_message(ANSWER, "before", "fold", FIELD) == {
        "role": "assistant",
        "content": "<think>\nso\n</think>\n\nI look.",
        FIELD: " ",
        "tool_calls": [
            {
                "id": "i",
                "type": "function",
                "function": {"name": "read", "arguments": '{"path": "a"}'},
            }
        ],
    }


@pytest.mark.parametrize(("strategy", "place"), [("fold", "after"), ("native", "before")])
def test_reasoning_of_the_running_turn_stays_in_its_field(
    strategy: Strategy, place: Literal["before", "after"]
) -> None:
    wired = wire_message(ANSWER, place, strategy, "reasoning")
    assert (wired["content"], wired["reasoning"]) == ("I look.", "so")


def test_an_answer_without_words_has_an_empty_content() -> None:
    assert wire_message(AssistantMessage((CALL,)), "after", "plain", FIELD)["content"] == ""


def test_no_reasoning_is_a_blank_where_its_absence_would_be_guessed_at() -> None:
    quiet = AssistantMessage((Text("a"),))
    assert wire_message(quiet, "after", "fold", FIELD)[FIELD] == " "
    assert wire_message(quiet, "after", "native", FIELD)[FIELD] == " "
    assert FIELD not in wire_message(quiet, "after", "plain", FIELD)


def test_a_server_that_takes_no_reasoning_is_sent_none() -> None:
    assert set(wire_message(ANSWER, "after", "plain", "")) == {"role", "content", "tool_calls"}


def test_the_text_comes_before_the_images() -> None:
    message = UserMessage((Image("image/png", "QUJD"), Text("Look.")))
    assert wire_message(message, "after", "plain", FIELD)["content"] == [
        {"type": "text", "text": "Look."},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
    ]


def test_words_that_look_like_a_tool_result_are_no_question() -> None:
    wrapped = user(" <tool_response>\nnote\n</tool_response>\n")
    assert last_query([user("a"), wrapped]) == 0
    assert last_query([wrapped]) == -1


def test_the_schema_keeps_the_order_of_its_text() -> None:
    (tool,) = wire_tools([ToolSpec("n", "d", '{"type":"object","b":1,"a":2}')])
    assert list(tool["function"]["parameters"]) == ["type", "b", "a"]


def test_an_empty_system_text_is_left_out() -> None:
    assert wire_messages("", [user("a")], "plain", FIELD)[0]["role"] == "user"
