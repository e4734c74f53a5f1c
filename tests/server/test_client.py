"""The client against a scripted server: what is sent, what is streamed, what is tried again."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace

from qcode.protocol.errors import (
    BadAnswer,
    ContextOverflow,
    CredentialsRefused,
    OutOfMemory,
    ServerGone,
    TemplateRefused,
    UnknownModel,
)
from qcode.protocol.events import (
    Notice,
    PromptProgress,
    Repaired,
    Retried,
    ServerState,
    TextDelta,
)
from qcode.protocol.messages import AssistantMessage, Text
from qcode.server.base import Answer, Request, Server, Streamed
from qcode.server.client import connect
from qcode.server.door import warm
from qcode.server.endpoint import Patience
from qcode.server.known import Wishes
from tests.server.streams import call, delta, event
from tests.support.llama_words import About
from tests.support.script import Pace, Reply, Usage
from tests.support.scripted_server import ScriptedServer, StartScripted

QUICK = Patience(
    connect_seconds=2,
    probe_seconds=0.5,
    first_wait_seconds=0.01,
    longest_wait_seconds=0.02,
    loading_seconds=5,
    poll_seconds=0.05,
    silence_seconds=0.2,
    taking_seconds=0.1,
)
LLAMA = About(kind="llamacpp")
PEG = "The model produced output that does not match the expected peg-native format"

T = TypeVar("T")


def request(**extra: Any) -> Request:
    return Request("scripted-model", [{"role": "user", "content": "Hello"}], [], extra=extra)


def server_at(base_url: str, api_key: str = "", model: str = "") -> Server:
    return connect(base_url, api_key, model, QUICK)


async def everything(server: Server, asked: Request | None = None) -> list[Streamed]:
    try:
        return [item async for item in server.stream(asked or request())]
    finally:
        await server.close()


def only(kind: type[T], items: list[Streamed]) -> list[T]:
    return [item for item in items if isinstance(item, kind)]


async def test_the_last_item_is_the_answer(scripted: StartScripted) -> None:
    endpoint = scripted(Reply(text="Hello.", reasoning="Greet.", usage=Usage(7, 3, 5)))
    *_, last = await everything(server_at(endpoint.base_url))
    assert isinstance(last, Answer)
    assert (last.message.text, last.message.reasoning) == ("Hello.", "Greet.")
    assert (last.usage.prompt_tokens, last.usage.cached_tokens) == (7, 5)
    assert last.usage.first_token_seconds is not None
    assert 0 < last.usage.first_token_seconds <= last.seconds


async def test_fields_of_the_engine_are_sent_as_they_are(scripted: StartScripted) -> None:
    endpoint = scripted(Reply(text="x"))
    kwargs = {"enable_thinking": False}
    await everything(
        server_at(endpoint.base_url), request(chat_template_kwargs=kwargs, temperature=0.6)
    )
    body = endpoint.requests[0].body
    assert body["chat_template_kwargs"] == kwargs
    assert body["temperature"] == 0.6
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert "tools" not in body


async def test_llamacpp_is_asked_for_its_progress(scripted: StartScripted) -> None:
    progress = {"total": 100, "cache": 40, "processed": 60, "time_ms": 500}
    endpoint = scripted(Reply(text="x", progress=(progress,)), about=LLAMA)
    items = await everything(server_at(endpoint.base_url))
    assert endpoint.requests[0].body["return_progress"] is True
    assert only(PromptProgress, items) == [PromptProgress(100, 40, 60, 0.5)]


async def test_both_doors_send_the_same_words(scripted: StartScripted) -> None:
    endpoint = scripted(Reply(text="x"), Reply(text="x"))
    server = server_at(endpoint.base_url, "secret")
    try:
        first = [item async for item in server.stream(request())]
        await asyncio.to_thread(warm().wait)
        second = [item async for item in server.stream(request())]
    finally:
        await server.close()
    assert len(first) == len(second)
    plain, through_openai = endpoint.requests
    assert plain.body == through_openai.body
    assert plain.headers["authorization"] == through_openai.headers["authorization"]
    assert through_openai.headers["authorization"] == "Bearer secret"
    assert "x-stainless-raw-response" in through_openai.headers  # it really was openai's


async def test_nothing_of_the_environment_goes_to_the_server(
    scripted: StartScripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "my-company")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-real")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    await asyncio.to_thread(warm().wait)
    endpoint = scripted(Reply(text="x"))
    await everything(server_at(endpoint.base_url))
    sent = endpoint.requests[0].headers
    assert sent["authorization"] == "Bearer none"
    assert not {"openai-organization", "x-stainless-os"} & set(sent)


@pytest.mark.parametrize("end", ["reset", "close"])
async def test_a_broken_stream_is_tried_again(scripted: StartScripted, end: Any) -> None:
    endpoint = scripted(Reply(text="half", end=end), Reply(text="whole"))
    items = await everything(server_at(endpoint.base_url))
    assert [retry.attempt for retry in only(Retried, items)] == [1]
    (answer,) = only(Answer, items)
    assert answer.message == AssistantMessage((Text("whole"),))


async def test_a_failing_server_is_tried_again_and_then_told(scripted: StartScripted) -> None:
    failing = Reply(status=500, body={"error": {"message": "Compute error."}})
    endpoint = scripted(*[failing] * QUICK.tries)
    server = server_at(endpoint.base_url)
    items: list[Streamed] = []
    with pytest.raises(OutOfMemory, match="Compute error"):
        await collect(server, items)
    await server.close()
    assert [retry.attempt for retry in only(Retried, items)] == [1, 2, 3]
    assert len(endpoint.requests) == QUICK.tries


async def test_a_failure_without_a_word_says_where_to_look(scripted: StartScripted) -> None:
    endpoint = scripted(otherwise=lambda body: Reply(status=500, body=""))
    with pytest.raises(BadAnswer, match=r"status 500.*its own output tells why"):
        await everything(server_at(endpoint.base_url))


async def collect(server: Server, items: list[Streamed]) -> None:
    async for item in server.stream(request()):
        items.append(item)


async def test_what_fails_each_time_is_asked_once(scripted: StartScripted) -> None:
    endpoint = scripted(Reply(status=500, body={"error": {"message": "Jinja Exception: no"}}))
    with pytest.raises(TemplateRefused, match="Jinja Exception"):
        await everything(server_at(endpoint.base_url))


async def test_the_errors_of_both_doors_are_the_same(scripted: StartScripted) -> None:
    await asyncio.to_thread(warm().wait)
    refused = Reply(status=400, body={"error": {"message": "no such field"}})
    endpoint = scripted(refused)
    with pytest.raises(BadAnswer, match="no such field"):
        await everything(server_at(endpoint.base_url))


async def test_a_refused_key_is_told(scripted: StartScripted) -> None:
    endpoint = scripted(Reply(status=401, body={"error": {"message": "Invalid API Key"}}))
    with pytest.raises(CredentialsRefused) as raised:
        await everything(server_at(endpoint.base_url, "very-secret"))
    assert "very-secret" not in str(raised.value)


async def test_an_overflow_is_told(scripted: StartScripted) -> None:
    error = {"type": "exceed_context_size_error", "n_prompt_tokens": 9, "n_ctx": 8, "message": "x"}
    endpoint = scripted(Reply(status=400, body={"error": error}))
    with pytest.raises(ContextOverflow, match="9 tokens"):
        await everything(server_at(endpoint.base_url))


async def test_a_model_that_is_gone_is_told_with_those_that_exist(scripted: StartScripted) -> None:
    endpoint = scripted(Reply(status=404, body={"error": {"message": "model 'x' not found"}}))
    with pytest.raises(UnknownModel, match="scripted-model"):
        await everything(server_at(endpoint.base_url))


async def test_loading_is_a_state_with_a_clock_and_no_error(scripted: StartScripted) -> None:
    endpoint = scripted(Reply(text="x"), about=LLAMA)
    endpoint.loading = True
    asyncio.get_running_loop().call_later(0.2, loaded, endpoint)
    items = await everything(server_at(endpoint.base_url))
    states = only(ServerState, items)
    assert {state.state for state in states} == {"loading", "back"}
    clock = [state.seconds for state in states]
    assert clock == sorted(clock)
    assert clock[-1] >= 0.1
    assert not only(Retried, items)


async def test_a_server_that_loads_again_between_two_answers_is_waited_for(
    scripted: StartScripted,
) -> None:
    endpoint = scripted(Reply(text="x"), about=LLAMA)
    server = server_at(endpoint.base_url)
    await server.facts()
    endpoint.loading = True
    asyncio.get_running_loop().call_later(0.2, loaded, endpoint)
    items = await everything(server)
    assert [state.state for state in only(ServerState, items)][-1] == "back"


def loaded(endpoint: ScriptedServer) -> None:
    endpoint.loading = False


async def test_loading_has_an_end(scripted: StartScripted) -> None:
    endpoint = scripted(about=LLAMA)
    endpoint.loading = True
    server = connect(endpoint.base_url, patience=Patience(loading_seconds=0.1, poll_seconds=0.05))
    with pytest.raises(ServerGone, match="still loads"):
        await everything(server)


async def test_a_remedy_that_is_known_is_told_in_place_of_the_usual_one() -> None:
    wishes = Wishes(remedy="Ask its keeper.")
    server = connect("http://127.0.0.1:1/v1", patience=QUICK, wishes=wishes)
    with pytest.raises(ServerGone, match=r"\(connection refused\)\. Ask its keeper\.$"):
        await server.facts()
    await server.close()


async def test_nobody_at_the_address_is_told_soon() -> None:
    started = time.monotonic()
    with pytest.raises(
        ServerGone, match=r"at http://127\.0\.0\.1:1/v1 \(connection refused\)"
    ) as raised:
        await everything(connect("http://127.0.0.1:1"))
    assert "llama-server" in str(raised.value)
    assert time.monotonic() - started < 3


async def test_closing_the_stream_closes_the_connection(scripted: StartScripted) -> None:
    endpoint = scripted(Reply(text="x" * 100, pace=Pace(delta_seconds=0.05, characters=1)))
    server = server_at(endpoint.base_url)
    async with aclosing(server.stream(request())) as items:
        async for item in items:
            if isinstance(item, TextDelta):
                break
    closed = time.monotonic()
    await left(endpoint)
    assert (endpoint.requests[0].closed_early or 0) - closed < 0.2
    await server.close()


@pytest.mark.parametrize("pace", [Pace(wait_seconds=30), Pace(first_delta_seconds=30)])
async def test_cancelling_the_task_closes_the_connection_at_once(
    scripted: StartScripted, pace: Pace
) -> None:
    endpoint = scripted(Reply(text="late", pace=pace))
    server = server_at(endpoint.base_url)
    task = asyncio.create_task(collect(server, []))
    await asyncio.to_thread(endpoint.wait_for, lambda seen: len(seen.requests) == 1)
    cancelled = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await left(endpoint)
    assert (endpoint.requests[0].closed_early or 0) - cancelled < 0.2
    await server.close()


async def left(endpoint: ScriptedServer) -> None:
    await asyncio.to_thread(endpoint.wait_for, lambda seen: bool(seen.requests[0].closed_early))


async def test_a_long_silence_of_a_living_server_is_waited_out(scripted: StartScripted) -> None:
    slow = Pace(first_delta_seconds=4 * QUICK.silence_seconds)
    endpoint = scripted(Reply(text="x", pace=slow), about=LLAMA)
    items = await everything(server_at(endpoint.base_url))
    assert not only(Retried, items)
    assert [one.path for one in endpoint.others].count("/health") >= 2


async def test_a_finished_answer_is_kept_when_its_end_does_not_parse(
    scripted: StartScripted,
) -> None:
    broken = event({"error": {"code": 500, "message": PEG}})
    endpoint = scripted(Reply(raw=delta(content="All done.") + broken))
    items = await everything(server_at(endpoint.base_url))
    assert only(Repaired, items)
    assert only(Answer, items)[0].message.text == "All done."


async def test_half_a_call_is_not_kept_but_asked_for_again(scripted: StartScripted) -> None:
    broken = event({"error": {"code": 500, "message": PEG}})
    half = call(0, id="i", name="write", arguments='{"content": "ha')
    endpoint = scripted(Reply(raw=half + broken), Reply(text="whole"))
    items = await everything(server_at(endpoint.base_url))
    assert len(only(Retried, items)) == 1
    assert only(Answer, items)[0].message.text == "whole"


@pytest.mark.parametrize(
    ("kind", "part"), [("", "reasoning"), ("llamacpp", "text")], ids=["no switch", "switched off"]
)
async def test_reasoning_alone_is_an_answer_only_where_thinking_could_be_turned_off(
    scripted: StartScripted, kind: Any, part: str
) -> None:
    about = About(kind=kind) if kind else None
    endpoint = scripted(Reply(reasoning="Let me see, it may", finish="length"), about=about)
    items = await everything(server_at(endpoint.base_url), replace(request(), thinking_budget=0))
    message = only(Answer, items)[0].message
    assert getattr(message, part) == "Let me see, it may"
    assert bool(message.text) == (part == "text")


async def test_a_long_history_is_on_its_way_within_milliseconds(scripted: StartScripted) -> None:
    """720 messages cost 137 ms when openai walks them; here they may cost 10 at most."""
    endpoint = scripted(*[Reply(text="x")] * 10)
    history = [{"role": "user", "content": "Some words. " * 40}] * 720
    asked = Request("scripted-model", history, ())
    server = server_at(endpoint.base_url)
    await asyncio.to_thread(warm().wait)
    costs = []
    async for seconds in request_costs(server, asked, 10):
        costs.append(seconds)
    await server.close()
    assert "x-stainless-raw-response" in endpoint.requests[-1].headers
    assert min(costs) < 0.02, costs  # CPU of this thread, the reading of the answer included


async def request_costs(server: Server, asked: Request, times: int) -> AsyncIterator[float]:
    for _ in range(times):
        started = time.thread_time()
        async for _ in server.stream(asked):
            pass
        yield time.thread_time() - started


async def test_a_field_that_a_server_refuses_is_left_out_from_then_on(
    scripted: StartScripted,
) -> None:
    body = {"error": {"message": "Unexpected fields in the request: {'return_progress'}"}}
    endpoint = scripted(Reply(status=422, body=body), Reply(text="x"), Reply(text="y"), about=LLAMA)
    server = server_at(endpoint.base_url)
    first = [item async for item in server.stream(request())]
    second = await everything(server)
    assert [notice.level for notice in only(Notice, first)] == ["info"]
    assert not only(Notice, second)
    assert ["return_progress" in one.body for one in endpoint.requests] == [True, False, False]


async def test_a_busy_server_is_waited_for_and_said_so(scripted: StartScripted) -> None:
    full = Reply(
        status=503,
        body={"error": {"message": "server busy, please try again"}},
        headers={"Retry-After": "0.01"},
    )
    endpoint = scripted(*[full] * (QUICK.tries + 2), Reply(text="x"))
    items = await everything(server_at(endpoint.base_url))
    states = only(ServerState, items)
    assert [state.state for state in states] == ["busy"] * (QUICK.tries + 2) + ["back"]
    assert "please try again" in states[0].detail
    assert not only(Retried, items)


async def test_being_busy_has_an_end(scripted: StartScripted) -> None:
    full = Reply(status=429, body={"error": {"message": "slow down"}})
    endpoint = scripted(otherwise=lambda body: full)
    patience = replace(QUICK, busy_seconds=1.0)
    with pytest.raises(ServerGone, match=r"slow down.*It was asked for 1 s\."):
        await everything(connect(endpoint.base_url, patience=patience))
    assert len(endpoint.requests) > QUICK.tries


async def test_a_server_at_work_for_others_is_told_before_it_takes_the_request(
    scripted: StartScripted,
) -> None:
    """llama.cpp with one slot: no head of an answer comes before the slot is free."""
    endpoint = scripted(Reply(text="x", pace=Pace(wait_seconds=0.5)), about=LLAMA)
    items = await everything(server_at(endpoint.base_url))
    states = [state.state for state in only(ServerState, items)]
    assert states[0] == "busy"
    assert states[-1] == "back"
    assert not only(Retried, items)


async def test_loading_at_the_start_is_told_and_that_it_is_over(scripted: StartScripted) -> None:
    endpoint = scripted(about=LLAMA)
    endpoint.loading = True
    asyncio.get_running_loop().call_later(0.2, loaded, endpoint)
    server = server_at(endpoint.base_url)
    told: list[ServerState] = []
    await server.facts(told.append)
    await server.close()
    assert {state.state for state in told[:-1]} == {"loading"}
    assert told[-1].state == "back"
    assert told[-1].seconds >= 0.1


async def test_nothing_is_told_of_a_server_that_answers_at_once(scripted: StartScripted) -> None:
    endpoint = scripted(Reply(text="x"), about=LLAMA)
    server = server_at(endpoint.base_url)
    told: list[ServerState] = []
    await server.facts(told.append)
    assert not only(ServerState, await everything(server))
    assert not told


async def test_unattended_a_gateway_without_a_server_behind_it_is_waited_for(
    scripted: StartScripted,
) -> None:
    away = Reply(status=502, body={"error": {"message": "connection refused by upstream"}})
    endpoint = scripted(*[away] * (QUICK.tries + 2), Reply(text="x"))
    patience = replace(QUICK, unattended=True, absence_seconds=0.05)
    items = await everything(connect(endpoint.base_url, patience=patience))
    states = [state.state for state in only(ServerState, items)]
    assert states[0] == "gone"
    assert states[-1] == "back"
    assert only(Answer, items)[0].message.text == "x"
