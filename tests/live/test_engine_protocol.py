"""What qcode relies on in llama.cpp, seen with nothing but the standard library.

When one of these fails after an upgrade of the engine, the facts have changed, not qcode.
"""

import contextlib
import http.client
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.llama import LlamaServer, StartLlama
from tests.support.plain_http import HttpError, get, post, stream, tokenize
from tests.support.render import Style, render_request
from tests.support.vocabulary import CALLS, NO_CALLS

pytestmark = pytest.mark.llamacpp

READ = {
    "type": "function",
    "function": {
        "name": "read",
        "description": "Read a file. Öffnet <sie> & 'liest'.",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}},
            "required": ["path"],
        },
    },
}
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}], "seed": 7}
ENDLESS = {**HELLO, "logit_bias": [["!\n", False]]}
"""Reasoning that never ends: the way out of it is barred."""


def wait_until(condition: Callable[[], bool], seconds: float) -> float:
    """Seconds until it holds."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds
        time.sleep(0.01)  # a slot's state can only be asked for
    return time.monotonic() - start


def joined(chunks: list[dict[str, Any]], field: str) -> str:
    deltas = (choice["delta"] for chunk in chunks for choice in chunk["choices"])
    return "".join(delta.get(field) or "" for delta in deltas)


def busy(llama: LlamaServer) -> bool:
    return any(slot["is_processing"] for slot in get(llama.origin, "/slots"))


def test_reasoning_and_text_are_streamed_apart(llama: LlamaServer) -> None:
    with stream(llama.origin, {**HELLO, "logit_bias": NO_CALLS}) as chunks:
        seen = list(chunks)
    assert joined(seen, "reasoning_content").strip().islower()
    assert joined(seen, "content").strip().isupper()
    assert "</think>" not in joined(seen, "reasoning_content") + joined(seen, "content")
    assert seen[-1]["choices"][0]["finish_reason"] == "stop"


def test_a_call_is_parsed_and_its_arguments_are_json(llama: LlamaServer) -> None:
    answer = post(
        llama.origin, "/v1/chat/completions", {**HELLO, "tools": [READ], "logit_bias": CALLS}
    )
    choice = answer["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    (call,) = choice["message"]["tool_calls"]
    assert call["function"] == {"name": "read", "arguments": '{"path":"notes.txt"}'}


def test_closing_the_connection_frees_the_slot_soon(llama: LlamaServer) -> None:
    with stream(llama.origin, ENDLESS) as chunks:
        for _ in zip(range(5), chunks, strict=False):
            pass
        assert busy(llama)
    assert wait_until(lambda: not busy(llama), 5.0) < 2.0


def test_progress_usage_and_timings_come_when_asked_for(llama: LlamaServer) -> None:
    long = [{"role": "user", "content": "A long question. " * 400}]
    body = {
        "messages": long, "return_progress": True, "stream_options": {"include_usage": True},
    }  # fmt: skip
    with stream(llama.origin, body) as chunks:
        seen = list(chunks)
    progress = [chunk["prompt_progress"] for chunk in seen if "prompt_progress" in chunk]
    assert [step["processed"] for step in progress] == sorted(s["processed"] for s in progress)
    assert progress[-1]["processed"] == progress[-1]["total"] > 6000
    timings, usage = seen[-1]["timings"], seen[-1]["usage"]
    assert timings["cache_n"] + timings["prompt_n"] == usage["prompt_tokens"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == timings["cache_n"]


def test_a_prompt_that_extends_prompt_and_answer_is_not_read_again(llama: LlamaServer) -> None:
    body: dict[str, Any] = {**HELLO, "tools": [READ], "logit_bias": CALLS}
    first = post(llama.origin, "/v1/chat/completions", body)
    answer = first["choices"][0]["message"]
    tool = {"role": "tool", "tool_call_id": answer["tool_calls"][0]["id"], "content": "one line"}
    body["messages"] = [*HELLO["messages"], answer, tool]
    second = post(llama.origin, "/v1/chat/completions", body)
    usage = first["usage"]
    # the last token of an answer ends the turn: it is sampled but never read
    assert second["timings"]["cache_n"] == usage["prompt_tokens"] + usage["completion_tokens"] - 1


@pytest.mark.parametrize("kwargs", [{}, {"enable_thinking": False}, {"preserve_thinking": True}])
def test_the_engine_renders_as_the_scripted_server_does(
    llama: LlamaServer, llama36: LlamaServer, kwargs: dict[str, bool]
) -> None:
    call = {"type": "function", "id": "x", "function": {"name": "read", "arguments": "{}"}}
    other = {"name": "read", "arguments": '{"path": "ä", "deep": {"n": [1, true]}, "all": false}'}
    folded = "<think>\nfolded\n</think>\n\nSo"
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": " Be brief. "},
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": "A", "reasoning_content": "Why", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "x", "content": "  result\n"},
        {"role": "assistant", "content": folded, "reasoning_content": " "},
        {"role": "user", "content": "Two"},
        {"role": "assistant", "content": "", "tool_calls": [call, {**call, "function": other}]},
        {"role": "tool", "tool_call_id": "x", "content": "a"},
        {"role": "tool", "tool_call_id": "x", "content": "b"},
    ]
    body = {"tools": [READ], "chat_template_kwargs": kwargs, "messages": messages}
    styles: dict[Style, LlamaServer] = {"3.5": llama, "3.6": llama36}
    for style, server in styles.items():
        prompt = post(server.origin, "/apply-template", body)["prompt"]
        assert prompt == render_request(body, style)


def test_folded_reasoning_is_printed_only_with_one_blank_in_the_field(llama: LlamaServer) -> None:
    def printed(**field: str) -> bool:
        past = {"role": "assistant", "content": "<think>\nWhy\n</think>\n\nFirst", **field}
        again = {"role": "user", "content": "Again"}
        body = {"messages": [*HELLO["messages"], past, again]}
        return "Why" in post(llama.origin, "/apply-template", body)["prompt"]

    assert printed(reasoning_content=" ")
    assert not printed(reasoning_content="")
    assert not printed()


def test_the_reasoning_budget_ends_the_thinking(llama: LlamaServer) -> None:
    body = {**ENDLESS, "thinking_budget_tokens": 10, "max_tokens": 200}
    message = post(llama.origin, "/v1/chat/completions", body)["choices"][0]["message"]
    assert 0 < len(tokenize(llama.origin, message["reasoning_content"])) <= 12
    assert message["content"]


def test_a_prompt_too_long_is_a_400_that_tells_both_numbers(llama: LlamaServer) -> None:
    body = {"messages": [{"role": "user", "content": "x" * 70000}]}
    with pytest.raises(HttpError) as caught:
        post(llama.origin, "/v1/chat/completions", body)
    assert caught.value.status == 400
    assert "exceed_context_size_error" in caught.value.text
    assert '"n_ctx":65536' in caught.value.text


def test_props_and_models_tell_the_context_and_the_kind(llama: LlamaServer) -> None:
    props = get(llama.origin, "/props")
    assert props["default_generation_settings"]["n_ctx"] == 65536
    assert props["total_slots"] == 1
    assert get(llama.origin, "/v1/models")["data"][0]["owned_by"] == "llamacpp"
    assert get(llama.origin, "/health") == {"status": "ok"}


def test_a_killed_server_ends_the_stream_at_once_and_without_a_finish(
    start_llama: StartLlama,
) -> None:
    server = start_llama()
    seen: list[dict[str, Any]] = []
    with stream(server.origin, ENDLESS) as chunks:
        next(chunks)
        server.kill()
        killed = time.monotonic()
        # reset, or cut in the middle of an event, or just the end: all of these happen
        with contextlib.suppress(OSError, http.client.IncompleteRead, json.JSONDecodeError):
            seen.extend(chunks)
    assert time.monotonic() - killed < 5
    assert not any(chunk["choices"][0]["finish_reason"] for chunk in seen)
