"""Counts of a real engine: of texts, of requests, and the meter that needs none of them."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from qcode.server.base import Answer, Request
from qcode.server.client import Client
from qcode.server.counting import Meter
from qcode.server.endpoint import Patience
from qcode.server.known import Target
from tests.server.loops.honest import HONEST
from tests.support.llama import LlamaServer
from tests.support.vocabulary import NO_CALLS

pytestmark = pytest.mark.llamacpp

TEXTS = ("many doubts", "yaml", "forty similar edits", "json list", "chinese steps", "diff")
TOOL = {
    "type": "function",
    "function": {"name": "read", "description": "Read.", "parameters": {"type": "object"}},
}


def test_a_text_is_counted_by_the_engines_own_tokens(llama: LlamaServer) -> None:
    async def run() -> list[int | None]:
        client = Client(Target((llama.base_url,), ""), Patience())
        try:
            unknown = await client.count("Hello")
            await client.facts()
            return [unknown, await client.count("Hello"), await client.count("<think>\n\n")]
        finally:
            await client.close()

    # One token a byte; the mark is one, and so are two line ends.
    assert asyncio.run(run()) == [None, 5, 2]


def test_a_request_is_counted_to_the_token(llama: LlamaServer) -> None:
    async def run() -> list[tuple[int | None, int | None]]:
        client = Client(Target((llama.base_url,), ""), Patience())
        try:
            await client.facts()
            pairs = []
            for budget in (0, 100):
                request = _request([{"role": "user", "content": HONEST["yaml"]}], budget)
                counted = await client.count_request(request)
                pairs.append((counted, (await _answer(client, request)).usage.prompt_tokens))
            return pairs
        finally:
            await client.close()

    pairs = asyncio.run(run())
    assert all(counted and counted == told for counted, told in pairs), pairs


def test_the_meter_comes_close_although_it_knows_nothing_of_the_vocabulary(
    llama: LlamaServer,
) -> None:
    async def run() -> list[float]:
        client = Client(Target((llama.base_url,), ""), Patience())
        meter, missed = Meter(), []
        messages: list[dict[str, Any]] = []
        try:
            await client.facts()
            for name in TEXTS:
                new = HONEST[name][:2_000]
                messages.append({"role": "user", "content": new})
                expected = meter.estimate(new)
                answer = await _answer(client, _request(messages, 0))
                told = answer.usage.prompt_tokens
                assert told
                missed.append(abs(expected - told) / told)
                meter.take(answer.usage, sum(len(one["content"]) for one in messages))
                messages.append({"role": "assistant", "content": answer.message.text})
        finally:
            await client.close()
        return missed

    first, *later = asyncio.run(run())
    assert first > 0.5  # a token a byte is not what it expects
    assert max(later) < 0.3
    assert max(later[-2:]) < 0.1


def _request(messages: list[dict[str, Any]], budget: int) -> Request:
    return Request(
        "", list(messages), [TOOL], budget, max_tokens=20, extra={"logit_bias": NO_CALLS}
    )


async def _answer(client: Client, request: Request) -> Answer:
    async with aclosing(client.stream(request)) as items:
        async for item in items:
            if isinstance(item, Answer):
                return item
    raise AssertionError("a stream ends with an Answer")
