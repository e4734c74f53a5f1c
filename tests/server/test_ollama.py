"""An Ollama that is asked for a context: by which door, with what words, and what comes of it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from qcode.protocol.errors import (
    BadAnswer,
    ContextOverflow,
    ServerError,
    ServerGone,
    ToolsRefused,
    UnknownModel,
)
from qcode.protocol.events import Notice, Retried, TextDelta
from qcode.server.adapters.ollama import advice, asking
from qcode.server.base import Answer, Request, Server, ServerFacts, Streamed
from qcode.server.client import connect
from qcode.server.endpoint import Patience
from qcode.server.known import Wishes
from tests.support.llama_words import About
from tests.support.ollama_words import CHAT
from tests.support.script import Call, Pace, Reply, Usage
from tests.support.scripted_server import ScriptedServer, StartScripted

QUICK = Patience(
    connect_seconds=2,
    probe_seconds=0.5,
    first_wait_seconds=0.01,
    longest_wait_seconds=0.02,
    silence_seconds=0.2,
    taking_seconds=0.1,
)
OLLAMA = About(kind="ollama", model="qwen3.6:27b", context_tokens=4_096)
ASKED = 65_536


def wanting(tokens: int = ASKED) -> Wishes:
    return Wishes(context=lambda model: tokens)


@asynccontextmanager
async def server_at(endpoint: ScriptedServer, tokens: int = ASKED) -> AsyncIterator[Server]:
    server = connect(endpoint.base_url, "", "", QUICK, wishes=wanting(tokens))
    try:
        yield server
    finally:
        await server.close()


def request(text: str = "Hello.", **more: Any) -> Request:
    return Request("qwen3.6:27b", [{"role": "user", "content": text}], [], **more)


async def answered(server: Server, asked: Request | None = None) -> list[Streamed]:
    return [item async for item in server.stream(asked or request())]


async def test_each_request_asks_for_the_same_context(scripted: StartScripted) -> None:
    endpoint = scripted(Reply("a"), Reply("b"), Reply("c"), about=OLLAMA)
    async with server_at(endpoint) as server:
        facts = await server.facts()
        assert (facts.kind, facts.context_tokens, facts.asked_context) == (
            *("ollama-chat", ASKED, ASKED),
        )
        assert facts.context_from == "num_ctx of each request"
        assert facts.reasoning_field == "thinking"
        for _ in range(3):
            await answered(server)
    assert {one.path for one in endpoint.requests} == {CHAT}
    assert [one.body["options"]["num_ctx"] for one in endpoint.requests] == [ASKED] * 3
    assert all(one.body["stream"] is True for one in endpoint.requests)


async def test_it_is_asked_too_where_as_much_is_loaded(scripted: StartScripted) -> None:
    """What is loaded is what the last one asked for: a request without it would load anew."""
    endpoint = scripted(Reply("a"), about=About(kind="ollama", context_tokens=ASKED))
    async with server_at(endpoint) as server:
        await answered(server)
    assert [one.path for one in endpoint.requests] == [CHAT]


async def test_who_asks_for_nothing_goes_by_the_usual_door(scripted: StartScripted) -> None:
    endpoint = scripted(Reply("a"), about=OLLAMA)
    async with server_at(endpoint, 0) as server:
        facts = await server.facts()
        await answered(server)
    assert (facts.kind, facts.context_tokens, facts.asked_context) == ("ollama", 4_096, None)
    assert [one.path for one in endpoint.requests] == ["/v1/chat/completions"]
    assert "options" not in endpoint.requests[0].body


async def test_other_servers_are_asked_for_no_context(scripted: StartScripted) -> None:
    endpoint = scripted(Reply("a"), about=About(kind="llamacpp"))
    async with server_at(endpoint) as server:
        assert (await server.facts()).asked_context is None
        await answered(server)
    assert "num_ctx" not in json.dumps(endpoint.requests[0].body)


def facts(**more: Any) -> ServerFacts:
    base = ("ollama", "0.33.2", "http://127.0.0.1:1/v1", "m", ("m",))
    return ServerFacts(*base, more.pop("context", None), "plain", "", "reasoning", **more)


def test_no_more_is_asked_for_than_the_model_was_made_for() -> None:
    assert asking(facts(trained_tokens=40_960), ASKED).asked_context == 40_960
    assert asking(facts(trained_tokens=40_960), ASKED).context_tokens == 40_960
    assert asking(facts(), ASKED).context_tokens == ASKED


@pytest.mark.parametrize(
    ("context", "trained", "wanted"),
    [
        (4_096, 262_144, 65_536),
        (4_096, 40_960, 40_960),
        (4_096, 4_096, 0),
        (4_096, None, 0),
        (32_768, 262_144, 0),
        (None, 262_144, 0),  # not loaded: nobody knows
    ],
)
def test_a_small_context_is_told_with_the_setting_that_helps(
    context: int | None, trained: int | None, wanted: int
) -> None:
    told = advice(facts(context=context, trained_tokens=trained))
    assert bool(told) == bool(wanted)
    assert not wanted or f"context_tokens = {wanted} " in told


def test_who_asks_for_a_context_is_given_no_advice() -> None:
    assert not advice(asking(facts(context=4_096, trained_tokens=262_144), 8_192))


async def test_the_answer_comes_as_from_any_server(scripted: StartScripted) -> None:
    call = Call("read", {"path": "b.py", "from": 1}, "call_x")
    reply = Reply("I look.", "Two files.", (call,), usage=Usage(3_000, 60, 2_500))
    endpoint = scripted(reply, about=OLLAMA)
    async with server_at(endpoint) as server:
        *shown, last = await answered(server)
    assert isinstance(last, Answer)
    assert (last.message.reasoning, last.message.text) == ("Two files.", "I look.")
    assert [(one.id, one.arguments) for one in last.message.calls] == [
        ("call_x", '{"path":"b.py","from":1}')
    ]
    assert (last.usage.prompt_tokens, last.usage.cached_tokens) == (3_000, 2_500)
    assert last.usage.generated_per_second == 30
    assert TextDelta("I look.") in shown


async def test_closed_reasoning_is_continued_behind_an_open_answer(
    scripted: StartScripted,
) -> None:
    endpoint = scripted(Reply("So it is."), about=OLLAMA)
    async with server_at(endpoint) as server:
        assert (await server.facts()).continues
        *_, last = await answered(server, request(closed="I thought.", thinking_budget=2_000))
    assert isinstance(last, Answer)
    assert (last.message.reasoning, last.message.text) == ("I thought.", "So it is.")
    opened = {"role": "assistant", "content": "<think>\nI thought.\n</think>\n\n"}
    assert endpoint.requests[0].messages[-1] == opened


@pytest.mark.parametrize(
    ("status", "words", "error"),
    [
        (
            400,
            "the prompt is longer than the context length currently available to the model; "
            "shorten the prompt, adjust the context length in settings",
            ContextOverflow,
        ),
        (400, "the input length exceeds the context length", ContextOverflow),
        (404, 'model "qwen3.6:27b" not found, try pulling it first', UnknownModel),
        (400, "registry.ollama.ai/library/gemma3:4b does not support tools", ToolsRefused),
        (500, "something went wrong, please see the ollama server logs for details", BadAnswer),
        (503, "server busy, please try again.  maximum pending requests exceeded", ServerGone),
    ],
)
async def test_what_it_refuses_with_is_understood(
    scripted: StartScripted, status: int, words: str, error: type[ServerError]
) -> None:
    endpoint = scripted(
        about=OLLAMA, otherwise=lambda body: Reply(status=status, body={"error": words})
    )
    quick = Patience(first_wait_seconds=0.01, longest_wait_seconds=0.01, busy_seconds=0.05)
    server = connect(endpoint.base_url, "", "", quick, wishes=wanting())
    try:
        with pytest.raises(error):
            await answered(server)
    finally:
        await server.close()


async def test_a_model_that_cannot_think_is_asked_without_it(scripted: StartScripted) -> None:
    words = '"qwen3.6:27b" does not support thinking'
    endpoint = scripted(Reply(status=400, body={"error": words}), Reply("Fine."), about=OLLAMA)
    async with server_at(endpoint) as server:
        items = await answered(server, request(thinking_budget=8_000))
    assert [one.body.get("think") for one in endpoint.requests] == [True, None]
    [notice] = [item for item in items if isinstance(item, Notice)]
    assert "think" in notice.text


def broken(raw: bytes = b"", **more: Any) -> Reply:
    half = b'{"message":{"role":"assistant","content":"Half of"},"done":false}\n'
    return Reply(raw=half + raw, **more)


@pytest.mark.parametrize(
    "first",
    [
        broken(b'{"error":"model runner has unexpectedly stopped"}\n'),
        broken(end="close"),
        broken(end="reset"),
        broken(b'{"message":{"role":"assistant","content":""},"done":true}\n'),
        Reply("Half of", end="no_done"),
    ],
    ids=["error", "close", "reset", "without a reason", "without an end"],
)
async def test_an_answer_that_breaks_off_is_asked_for_again(
    scripted: StartScripted, first: Reply
) -> None:
    endpoint = scripted(first, Reply("All of it."), about=OLLAMA)
    async with server_at(endpoint) as server:
        items = await answered(server)
    assert [type(item) for item in items if isinstance(item, Retried)] == [Retried]
    assert isinstance(items[-1], Answer)
    assert items[-1].message.text == "All of it."
    assert [one.body["options"]["num_ctx"] for one in endpoint.requests] == [ASKED] * 2


async def test_whoever_leaves_closes_the_connection(scripted: StartScripted) -> None:
    slow = Reply("word " * 200, pace=Pace(characters=5, delta_seconds=0.05))
    endpoint = scripted(slow, about=OLLAMA)
    async with server_at(endpoint) as server:
        async with aclosing(server.stream(request())) as items:
            async for item in items:
                if isinstance(item, TextDelta):
                    break
        left = time.monotonic()
        await asyncio.to_thread(endpoint.wait_for, lambda seen: bool(seen.requests[0].closed_early))
    assert (endpoint.requests[0].closed_early or 0) - left < 0.3
