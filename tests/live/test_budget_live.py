"""A real engine: closed reasoning is gone on from, "answer now" is obeyed, a budget holds."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from qcode.protocol.events import Notice, ReasoningDelta, TextDelta
from qcode.protocol.messages import ToolSpec
from qcode.server.base import Answer, Request, Server, ServerFacts, Streamed
from qcode.server.client import connect
from qcode.server.closing import closed
from qcode.server.continuing import body
from qcode.server.shape import wire_tools
from tests.support.llama import LlamaServer
from tests.support.plain_http import get, post, tokenize
from tests.support.vocabulary import CALLS, NO_CALLS

pytestmark = pytest.mark.llamacpp

SYSTEM = "You are tested. " * 40
READ = ToolSpec(
    "read",
    "Read a file.",
    '{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}',
)
NO_WAY_OUT = [["!\n", False]]
"""A `logit_bias` that bars the way out of the reasoning: only a budget ends it."""


def most(budget: int) -> float:
    """Tokens of reasoning that a budget allows: 5 % and 16 more."""
    return budget * 1.05 + 16


@asynccontextmanager
async def client_of(engine: LlamaServer) -> AsyncIterator[tuple[Server, ServerFacts]]:
    client = connect(engine.base_url)
    try:
        yield client, await client.facts()
    finally:
        await client.close()


def request(said: str, budget: int, bias: list[list[Any]], **extra: Any) -> Request:
    messages: list[Mapping[str, Any]] = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": said},
    ]
    more = {"logit_bias": bias, **extra}
    tools = wire_tools((READ,))
    return Request("", messages, tools, thinking_budget=budget, max_tokens=9000, extra=more)


async def everything(client: Server, asked: Request) -> tuple[list[Streamed], Answer]:
    items = [item async for item in client.stream(asked)]
    answer = items[-1]
    assert isinstance(answer, Answer)
    return items, answer


async def thought(client: Server, asked: Request, characters: int) -> str:
    """Reasoning of so many characters, then the connection is closed."""
    pieces: list[str] = []
    async with aclosing(client.stream(asked)) as items:
        async for item in items:
            if isinstance(item, ReasoningDelta):
                pieces.append(item.text)
            if sum(map(len, pieces)) >= characters:
                break
    return "".join(pieces)


def rendered(engine: LlamaServer, facts: ServerFacts, asked: Request) -> str:
    prompt: str = post(
        engine.origin, "/apply-template", {**body(facts, asked), "tools": asked.tools}
    )["prompt"]
    return prompt


@pytest.mark.parametrize("style", ["3.5", "3.6"])
@pytest.mark.parametrize("ends", ["in words", "in a call"])
async def test_an_answer_goes_on_behind_closed_reasoning(
    llama: LlamaServer, llama36: LlamaServer, style: str, ends: str
) -> None:
    """The prompt is the first one, the reasoning and its end, so only what is new is read."""
    engine = llama if style == "3.5" else llama36
    asked = request(f"Hello {style} {ends}", 9000, NO_WAY_OUT)
    async with client_of(engine) as (client, facts):
        assert facts.continues
        begun = await thought(client, asked, 300)
        bias = CALLS if ends == "in a call" else NO_CALLS
        more = replace(asked, closed=closed(begun), extra={"logit_bias": bias})
        assert rendered(engine, facts, more) == (
            rendered(engine, facts, asked) + closed(begun) + "\n</think>\n\n"
        )
        items, answer = await everything(client, more)
    assert answer.message.reasoning == closed(begun)
    assert not [item for item in items if isinstance(item, ReasoningDelta | Notice)]
    text = "".join(item.text for item in items if isinstance(item, TextDelta))
    assert answer.message.text.strip() == text.strip() != ""
    calls = [(call.name, call.arguments) for call in answer.message.calls]
    assert calls == ([("read", '{"path":"notes.txt"}')] if ends == "in a call" else [])
    assert read(answer) <= len(tokenize(engine.origin, closed(begun))) + 32, "the prompt, again"


@pytest.mark.parametrize("style", ["3.5", "3.6"])
async def test_reasoning_that_ended_at_the_limit_is_not_read_again(
    llama: LlamaServer, llama36: LlamaServer, style: str
) -> None:
    """Where the engine stopped by itself: it has generated nothing that we do not have. Closing a
    stream leaves it some tokens ahead, and a hybrid model cannot go back by a few."""
    engine = llama if style == "3.5" else llama36
    asked = request(f"Hello, shortly, {style}", 9000, NO_WAY_OUT)
    async with client_of(engine) as (client, _):
        _, cut = await everything(client, replace(asked, max_tokens=300))
        assert cut.message.finish == "length"
        begun = cut.message.reasoning
        more = replace(asked, closed=closed(begun), extra={"logit_bias": NO_CALLS})
        _, answer = await everything(client, more)
    assert answer.message.reasoning == closed(begun)
    new = len(tokenize(engine.origin, closed(begun)[len(begun) :] + "\n</think>\n\n"))
    assert read(answer) <= new + 8


def read(answer: Answer) -> int:
    """Tokens of the prompt that the engine had not."""
    return (answer.usage.prompt_tokens or 0) - (answer.usage.cached_tokens or 0)


async def test_the_next_request_finds_a_continued_answer_in_the_cache(llama36: LlamaServer) -> None:
    asked = request("Hello, and go on", 9000, NO_WAY_OUT)
    async with client_of(llama36) as (client, facts):
        begun = await thought(client, asked, 200)
        more = replace(asked, closed=closed(begun), extra={"logit_bias": NO_CALLS})
        _, answer = await everything(client, more)
        said = {
            "role": "assistant",
            facts.reasoning_field: answer.message.reasoning,
            "content": answer.message.text,
        }
        messages = [*asked.messages, said, {"role": "user", "content": "And then?"}]
        after = replace(asked, messages=messages, extra={"logit_bias": NO_CALLS})
        _, following = await everything(client, after)
    held = (answer.usage.prompt_tokens or 0) + (answer.usage.generated_tokens or 0) - 1
    assert (following.usage.cached_tokens or 0) >= held


async def test_answer_now_is_obeyed_in_the_running_answer(llama: LlamaServer) -> None:
    asked = request("Think for ever", 9000, NO_WAY_OUT + NO_CALLS)
    taken: list[bool] = []
    async with client_of(llama) as (client, _):
        assert not await client.end_reasoning()
        items: list[Streamed] = []
        async for item in client.stream(asked):
            items.append(item)
            if isinstance(item, ReasoningDelta) and not taken:
                taken.append(await client.end_reasoning())
        assert not await client.end_reasoning()
    answer = items[-1]
    assert isinstance(answer, Answer)
    assert taken == [True]
    assert answer.message.text
    assert answer.message.finish == "stop"
    assert len(tokenize(llama.origin, answer.message.reasoning)) < 4000


@pytest.mark.parametrize("budget", [16, 200, 2000])
async def test_the_engines_own_budget_holds(llama: LlamaServer, budget: int) -> None:
    asked = request(f"Think, {budget}", budget, NO_WAY_OUT + NO_CALLS)
    async with client_of(llama) as (client, _):
        _, answer = await everything(client, asked)
    *_, closing = closed("x").partition("\n")  # the engine writes it, and counts it
    known = sum(len(tokenize(llama.origin, text)) for text in (answer.message.text, closing))
    spent = (answer.usage.generated_tokens or 0) - known
    print(f"native: budget {budget}, used {spent}")  # noqa: T201  a figure of the live run
    assert budget / 2 <= spent <= most(budget)
    assert answer.message.text


@pytest.mark.parametrize("budget", [400, 2000, 4000])
async def test_a_budget_kept_by_closing_the_stream_holds(llama: LlamaServer, budget: int) -> None:
    """As on a server without any budget: the client counts, closes and lets the answer go on."""
    asked = request(f"Think, then be cut at {budget}", 9000, NO_WAY_OUT)
    async with client_of(llama) as (client, _):
        before = generated(llama)
        begun = await thought(client, asked, budget)  # the tiny model: a character is a token
        await asyncio.to_thread(rest, llama)
        spent = generated(llama) - before
        more = replace(asked, closed=closed(begun), extra={"logit_bias": NO_CALLS})
        _, answer = await everything(client, more)
    print(f"by closing: budget {budget}, kept {len(begun)}, generated {spent}")  # noqa: T201  not ours to bound: it goes on until it notices
    assert len(begun) <= most(budget)
    assert answer.message.text


def rest(engine: LlamaServer) -> None:
    """Until the engine has noticed that the stream is closed."""
    while any(slot["is_processing"] for slot in get(engine.origin, "/slots")):
        time.sleep(0.005)


def generated(engine: LlamaServer) -> int:
    """Tokens that the engine has generated since it started."""
    rows = str(get(engine.origin, "/metrics")).splitlines()
    (row,) = [row for row in rows if row.startswith("llamacpp:tokens_predicted_total ")]
    return int(float(row.split()[1]))
