"""When nothing is read ahead: each reason by itself, and what the server is asked before."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Literal

import pytest
from msgspec.structs import replace

from qcode.server.ask import Asker
from qcode.server.base import Cold, Request, ServerFacts, Warmed
from qcode.server.client import connect
from qcode.server.door import make_http
from qcode.server.endpoint import Patience
from qcode.server.warming import Ahead, unfit
from tests.server.raw import answer, listening

FACTS = ServerFacts(
    "llamacpp", "b11549", "http://127.0.0.1:1/v1", "m", ("m",), 4096, "native", "", "", slots=1
)
ASKED = Request("m", [{"role": "user", "content": "Facts. MARK"}], ())
SEEN = Request("m", [{"role": "user", "content": [{"type": "text", "text": "MARK"}]}], ())


@pytest.mark.parametrize(
    ("fields", "request_", "because"),
    [
        ({"kind": "vllm"}, ASKED, "not known to work"),
        ({"kind": "openrouter"}, ASKED, "not known to work"),
        ({"kind": "llamacpp-router"}, ASKED, "not known to work"),
        ({"base_url": "https://llama.example.com/v1"}, ASKED, "may cost money"),
        ({"loaded": False}, ASKED, "not in memory"),
        ({}, SEEN, "images"),
        ({"base_url": "http://192.168.1.20:8080/v1"}, ASKED, ""),
    ],
)
def test_it_is_left_where_it_is_not_known_or_may_cost(
    fields: Mapping[str, Any], request_: Request, because: str
) -> None:
    said = unfit(replace(FACTS, **fields), request_)
    assert (because in said) if because else not said


def props(*, sleeping: bool = False) -> bytes:
    told = {"build_info": "b11549-x", "is_sleeping": sleeping, "default_generation_settings": {}}
    return json.dumps(told).encode()


def slots(*states: Literal["rests", "works"], tokens: int = 0) -> bytes:
    rows = [
        {"id": number, "is_processing": state == "works", "n_prompt_tokens": tokens}
        for number, state in enumerate(states)
    ]
    return json.dumps(rows).encode()


class Llama:
    """Says what it is told to, and notes what it is asked."""

    def __init__(self, answers: Mapping[str, bytes]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def __call__(self, line: str, writer: asyncio.StreamWriter) -> None:
        path = line.split()[1]
        self.asked.append(path)
        await answer(writer, self.answers.get(path, b"{}"))


async def warmed(llama: Llama, least: float = 0.0) -> Warmed | Cold:
    async with listening(llama) as server:
        http = make_http(server.base_url, 1.0)
        asker = Asker(http, "", 1.0)
        try:
            facts = replace(FACTS, base_url=server.base_url)
            return await Ahead().read(asker, facts, ASKED, "MARK", least)
        finally:
            await http.aclose()


@pytest.mark.parametrize(
    ("told", "because"),
    [
        ({"/props": props(sleeping=True)}, "the model sleeps"),
        ({"/props": props(), "/slots": slots("rests", "works")}, "answers somebody else"),
    ],
)
async def test_a_model_that_sleeps_or_answers_somebody_else_is_left_alone(
    told: Mapping[str, bytes], because: str
) -> None:
    llama = Llama(told)
    came = await warmed(llama)
    assert isinstance(came, Cold)
    assert because in came.because
    assert came.again is (because == "answers somebody else")
    assert set(llama.asked) <= {"/props", "/slots"}
    # that question alone would wake it
    assert ("/slots" in llama.asked) is came.again


@pytest.mark.parametrize(
    ("rendered", "because"),
    [
        (b'{"prompt": "<|user|>Facts."}', "leaves the prompt out"),
        (b'{"error": {"message": "no"}}', "does not render"),
        (b'{"prompt": "<|user|>Facts. MARK<|end|>"}', "did not say that it had read all"),
    ],
)
async def test_an_answer_that_is_not_understood_is_no_error(rendered: bytes, because: str) -> None:
    told = {"/props": props(), "/slots": slots("rests"), "/apply-template": rendered}
    came = await warmed(Llama(told))
    assert isinstance(came, Cold)
    assert because in came.because
    assert not came.again


async def test_a_server_whose_slots_are_empty_is_not_asked_to_read() -> None:
    llama = Llama({"/props": props(), "/slots": slots("rests", tokens=0)})
    came = await warmed(llama, least=0.9)
    assert isinstance(came, Warmed)
    assert came.slot is None
    assert "/completion" not in llama.asked


def busy(remain: int) -> bytes:
    """A slot at work that is to write so many tokens yet."""
    rows = json.loads(slots("works", "rests"))
    rows[0]["next_token"] = [{"has_next_token": True, "n_remain": remain, "n_decoded": 0}]
    return json.dumps(rows).encode()


async def settled(meanwhile: bytes) -> float:
    """Seconds until a reading that was broken off is out of the way; after 0.5 it rests."""
    rendered = b'{"prompt": "<|user|>Facts. MARK<|end|>"}'
    llama = Llama({"/props": props(), "/slots": slots("rests"), "/apply-template": rendered})
    async with listening(llama) as server:
        http = make_http(server.base_url, 1.0)
        ahead, asker = Ahead(), Asker(http, "", 1.0)
        facts = replace(FACTS, base_url=server.base_url)
        try:
            assert isinstance(await ahead.read(asker, facts, ASKED, "MARK", 0.0), Cold)
            llama.answers = {"/slots": meanwhile}
            loop = asyncio.get_running_loop()
            loop.call_later(0.5, lambda: setattr(llama, "answers", {"/slots": slots("rests")}))
            began = loop.time()
            await ahead.settle(asker, facts)
            return loop.time() - began
        finally:
            await http.aclose()


async def test_the_batch_at_work_is_waited_for_and_somebody_elses_words_are_not() -> None:
    assert await settled(busy(remain=0)) >= 0.5
    assert await settled(slots("works")) >= 0.5, "a build that does not tell"
    assert await settled(busy(remain=900)) < 0.5
    assert await settled(busy(remain=-1)) < 0.5


async def test_a_server_that_is_gone_is_not_waited_for() -> None:
    rendered = b'{"prompt": "<|user|>Facts. MARK<|end|>"}'
    llama = Llama({"/props": props(), "/slots": slots("rests"), "/apply-template": rendered})
    async with listening(llama) as server:
        http = make_http(server.base_url, 1.0)
        ahead, asker = Ahead(), Asker(http, "", 1.0)
        facts = replace(FACTS, base_url=server.base_url)
        await ahead.read(asker, facts, ASKED, "MARK", 0.0)
    async with asyncio.timeout(10):
        await ahead.settle(asker, facts)
    await http.aclose()


async def test_nothing_is_asked_before_the_server_is_found() -> None:
    server = connect("http://127.0.0.1:1/v1", patience=Patience(connect_seconds=0.1))
    came = await server.warm(ASKED, "MARK")
    assert isinstance(came, Cold)
    assert await server.fingerprint() == ""
    assert await server.keep_slot(0, "a") == await server.restore_slot("a") == 0
    await server.close()
