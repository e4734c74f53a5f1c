"""An answer behind closed reasoning: each server's words for it, and what is made of the answer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from qcode.protocol.errors import CredentialsRefused
from qcode.protocol.events import Notice, ReasoningDelta, TextDelta, ToolCallDelta
from qcode.protocol.messages import AssistantMessage, Reasoning, Text
from qcode.server.base import Answer, Request, Server, ServerFacts, Streamed
from qcode.server.client import connect
from qcode.server.continuing import NotContinued, Opening, body, can, plainly, whole
from qcode.server.endpoint import Patience
from tests.support.llama_words import About
from tests.support.render import render_request
from tests.support.script import Call, Reply
from tests.support.scripted_server import StartScripted

LLAMA = About(kind="llamacpp")
CLOSED = "I look at the file first, since it is named in the question.\n\nI act now."
ASKED = Request(
    "m", [{"role": "user", "content": "Hello"}], (), thinking_budget=2000, closed=CLOSED
)
FACTS = ServerFacts(
    kind="llamacpp",
    version="b11549",
    base_url="http://127.0.0.1:1/v1",
    model="m",
    models=("m",),
    context_tokens=4096,
    strategy="native",
    strategy_why="",
    reasoning_field="reasoning_content",
    continues=True,
)


def at(kind: str, version: str = "") -> ServerFacts:
    return replace(FACTS, kind=kind, version=version)


def test_llamacpp_is_given_the_reasoning_in_its_field_and_told_to_continue_the_content() -> None:
    sent = body(FACTS, ASKED)
    assert sent["messages"][:-1] == ASKED.messages
    assert sent["messages"][-1] == {
        "role": "assistant",
        "reasoning_content": CLOSED,
        "content": "",
    }
    assert sent["continue_final_message"] == "content"
    assert sent["add_generation_prompt"] is False


@pytest.mark.parametrize(
    ("kind", "content", "flags"),
    [
        (
            "vllm",
            f"<think>\n{CLOSED}\n</think>\n\n",
            {"continue_final_message": True, "add_generation_prompt": False},
        ),
        ("sglang", f"{CLOSED}\n</think>\n\n", {"continue_final_message": True}),
        ("ollama", f"<think>\n{CLOSED}\n</think>\n\n", {}),
    ],
)
def test_other_servers_are_given_it_as_text(kind: str, content: str, flags: dict[str, Any]) -> None:
    sent = body(at(kind), ASKED)
    assert sent["messages"][-1] == {"role": "assistant", "content": content}
    assert {key: sent[key] for key in flags} == flags
    assert ("add_generation_prompt" in sent) == ("add_generation_prompt" in flags)


@pytest.mark.parametrize("kind", ["llamacpp", "vllm", "sglang"])
def test_the_prompt_stays_the_first_one_thinking_on_and_no_budget_is_sent(
    kind: str,
) -> None:
    facts = at(kind)
    first, second = body(facts, replace(ASKED, closed="")), body(facts, ASKED)
    assert first["chat_template_kwargs"] == second["chat_template_kwargs"]
    off = body(facts, replace(ASKED, thinking_budget=0))
    assert off["chat_template_kwargs"] == first["chat_template_kwargs"]
    assert "budget" not in str({key: second[key] for key in second if key != "messages"})


@pytest.mark.parametrize("kind", ["generic", "mlx_lm", "lmstudio", "transformers"])
def test_a_server_without_continuation_gets_the_question_alone(kind: str) -> None:
    facts = at(kind)
    assert not can(facts)
    sent = body(facts, ASKED)
    assert sent["messages"] == ASKED.messages
    assert "continue_final_message" not in sent


def test_old_builds_of_llamacpp_do_not_continue() -> None:
    assert not can(at("llamacpp", "b9093"))
    assert can(at("llamacpp", "b9294"))
    assert can(at("llamacpp", "b0"))  # built without a number


def test_qwen_3_8_whose_template_takes_no_content_apart_is_given_the_field() -> None:
    facts = replace(at("vllm"), model="Qwen3.8-27B", reasoning_field="reasoning")
    sent = body(facts, ASKED)
    assert sent["messages"][-1] == {"role": "assistant", "reasoning": CLOSED, "content": ""}
    assert can(facts)
    # behind the generation prompt, which has opened the block already, the text is the same
    assert can(replace(facts, kind="sglang"))
    assert not can(replace(facts, kind="ollama"))


@pytest.mark.parametrize("model", ["gpt-oss-20b", "gemma-4-31B-it", "Magistral-Small-2509"])
def test_models_with_other_marks_are_continued_by_nobody_but_llamacpp(model: str) -> None:
    facts = replace(FACTS, model=model)
    assert can(facts)  # it knows the marks of its template
    for kind in ("vllm", "sglang", "ollama"):
        assert not can(replace(facts, kind=kind))


def test_the_first_request_is_not_changed() -> None:
    before = [dict(message) for message in ASKED.messages]
    body(FACTS, ASKED)
    assert ASKED.messages == before


def test_one_message_holds_the_reasoning_and_what_came_behind_it() -> None:
    answer = AssistantMessage((Reasoning("again"), Text("Done.")), "length")
    assert whole(answer, CLOSED) == AssistantMessage((Reasoning(CLOSED), Text("Done.")), "length")


pieces = st.lists(
    st.sampled_from(["I ", "look ", "at the file", "\n", " first", ", ", "x", CLOSED])
)


@given(pieces, st.sampled_from([CLOSED, "Short."]))
def test_what_is_shown_is_what_was_said_however_it_is_cut(said: list[str], closed: str) -> None:
    opening = Opening(closed)
    text = "".join(said)
    repeats = len(closed) >= 40 and text.lstrip().startswith(closed[:40])
    try:
        items = [one for piece in said for one in opening.feed(TextDelta(piece))]
    except NotContinued:
        assert repeats
        return
    items += opening.rest()
    assert not repeats
    assert "".join(one.text for one in items if isinstance(one, TextDelta)) == text


def test_a_call_lets_go_of_what_was_held_back() -> None:
    opening = Opening(CLOSED)
    assert opening.feed(TextDelta("I look")) == ()
    call = ToolCallDelta(0, "read", 2)
    assert opening.feed(call) == (TextDelta("I look"), call)


def test_new_reasoning_means_that_nothing_was_continued() -> None:
    with pytest.raises(NotContinued, match="think anew"):
        Opening("Short.").feed(ReasoningDelta("Let me see"))
    assert Opening("Short.").feed(ReasoningDelta("\n")) == ()


async def streamed(server: Server, asked: Request) -> list[Streamed]:
    return [item async for item in server.stream(asked)]


def last(items: list[Streamed]) -> AssistantMessage:
    assert isinstance(items[-1], Answer)
    return items[-1].message


async def test_an_answer_is_continued(scripted: StartScripted) -> None:
    endpoint = scripted(Reply("All is well.", calls=(Call("read", {"path": "a"}),)), about=LLAMA)
    server = connect(endpoint.base_url)
    items = await streamed(server, ASKED)
    await server.close()
    message = last(items)
    assert (message.reasoning, message.text) == (CLOSED, "All is well.")
    assert [call.name for call in message.calls] == ["read"]
    assert not [item for item in items if isinstance(item, ReasoningDelta | Notice)]
    assert endpoint.requests[0].messages[-1]["reasoning_content"] == CLOSED


@pytest.mark.parametrize(
    "wrong",
    [
        Reply(text="Hello.", reasoning="Let me think about it from the start."),
        Reply(text="<think>\nLet me think.\n</think>\n\nHello."),
        Reply(text=f"{CLOSED}\n\nHello."),
        Reply(text=f"{CLOSED}\n\nHello.", progress=({"total": 9, "processed": 9},)),
        Reply(status=400, body={"error": {"message": "Assistant response prefill is bad"}}),
        Reply(status=500, body={"error": {"message": "Jinja Exception: roles must alternate"}}),
    ],
    ids=["thinks", "thinks in text", "repeats", "repeats late", "refuses", "cannot render"],
)
async def test_a_server_that_does_not_continue_is_asked_plainly_and_remembered(
    scripted: StartScripted, wrong: Reply
) -> None:
    endpoint = scripted(wrong, Reply(text="Plain."), Reply(text="Plain again."), about=LLAMA)
    server = connect(endpoint.base_url)
    assert (await server.facts()).continues
    items = await streamed(server, ASKED)
    again = await streamed(server, ASKED)
    facts = await server.facts()
    await server.close()
    assert not facts.continues
    assert len([item for item in items if isinstance(item, Notice)]) == 1
    assert not [item for item in items if isinstance(item, ReasoningDelta)]
    assert last(items) == AssistantMessage((Text("Plain."),))
    assert last(again) == AssistantMessage((Text("Plain again."),))
    for request in endpoint.requests[1:]:
        assert request.messages == ASKED.messages
        assert request.body["chat_template_kwargs"]["enable_thinking"] is False


async def test_a_refused_key_has_nothing_to_do_with_continuing(scripted: StartScripted) -> None:
    endpoint = scripted(Reply(status=401, body={"error": {"message": "no"}}), about=LLAMA)
    server = connect(endpoint.base_url)
    with pytest.raises(CredentialsRefused):
        await streamed(server, ASKED)
    assert (await server.facts()).continues
    await server.close()


async def test_a_broken_continuation_is_continued_again(scripted: StartScripted) -> None:
    endpoint = scripted(Reply(text="half", end="reset"), Reply(text="Whole."), about=LLAMA)
    server = connect(endpoint.base_url, patience=Patience(first_wait_seconds=0.01))
    items = await streamed(server, ASKED)
    await server.close()
    assert last(items).reasoning == CLOSED
    assert all(request.messages[-1]["role"] == "assistant" for request in endpoint.requests)


def test_a_plain_question_is_without_reasoning() -> None:
    asked = plainly(ASKED)
    assert (asked.closed, asked.thinking_budget) == ("", 0)
    assert "<think>\n\n</think>" in render_request(body(FACTS, asked))
