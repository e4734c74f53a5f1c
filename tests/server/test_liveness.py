"""A silent server: waited for while it lives, given up when it is dead."""

import asyncio
import json
from typing import Any

import pytest
from msgspec.structs import replace

from qcode.protocol.events import Notice, Retried, ServerState, TextDelta
from qcode.server.ask import Asker
from qcode.server.base import Answer, Request, Server, ServerFacts, Streamed
from qcode.server.client import connect
from qcode.server.door import make_http
from qcode.server.endpoint import Patience
from qcode.server.liveness import doing, why_dead
from tests.server.raw import STREAM, answer, listening, silence
from tests.server.streams import delta, end

QUICK = Patience(
    connect_seconds=1,
    probe_seconds=0.1,
    tries=2,
    first_wait_seconds=0.01,
    silence_seconds=0.1,
    health_seconds=0.1,
    taking_seconds=0.05,
)
ASKED = Request("m", [{"role": "user", "content": "Hello"}], ())
MODELS = b'{"data": [{"id": "m"}]}'
PROPS = b'{"build_info": "b11549-x", "default_generation_settings": {"n_ctx": 4096}}'


async def everything(server: Server) -> list[Streamed]:
    try:
        return [item async for item in server.stream(ASKED)]
    finally:
        await server.close()


def retries(items: list[Streamed]) -> list[str]:
    return [item.because for item in items if isinstance(item, Retried)]


async def test_a_server_that_no_longer_answers_anything_is_given_up() -> None:
    """It keeps the connection open, as a machine that hangs does."""
    answers = iter((delta(content="half"), delta(content="whole") + end()))
    hung = asyncio.Event()

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        if "chat/completions" in line:
            writer.write(STREAM + (piece := next(answers)))
            await writer.drain()
            if end() not in piece:
                hung.set()
                await silence()
        elif "/health" in line and hung.is_set():
            await silence()
        else:
            await answer(writer, PROPS if "/props" in line else MODELS)

    async with listening(talk) as raw:
        items = await everything(connect(raw.base_url, patience=QUICK))
    assert retries(items) == ["/health gives no answer in time"]
    assert isinstance(items[-1], Answer)
    assert items[-1].message.text == "whole"


async def test_a_server_that_computes_and_serves_in_one_thread_is_not_given_up() -> None:
    busy = asyncio.Event()

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        if "chat/completions" in line:
            busy.set()
            writer.write(STREAM)
            await writer.drain()
            await asyncio.sleep(0.6)  # several rounds of silence and of unanswered questions
            writer.write(delta(content="late") + end())
        elif busy.is_set():
            await silence()
        elif "/models" in line:
            await answer(writer, MODELS)
        else:
            await answer(writer, b"{}", "404 Not Found")

    async with listening(talk) as raw:
        items = await everything(connect(raw.base_url, patience=QUICK))
    assert retries(items) == []
    assert TextDelta("late") in items


async def test_a_server_that_stopped_listening_is_given_up() -> None:
    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        if "chat/completions" in line:
            raw.server.close()  # nobody can connect any more; this connection stays
            writer.write(STREAM)
            await writer.drain()
            await silence()
        await answer(writer, MODELS)

    seen: list[Streamed] = []
    async with listening(talk) as raw:
        server = connect(raw.base_url, patience=QUICK)
        error = await failing(server, seen)
    assert retries(seen) == ["connection refused"]
    assert "connection refused" in error


async def test_a_server_that_starts_again_between_two_answers_is_waited_for() -> None:
    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        if "chat/completions" in line:
            writer.write(STREAM + delta(content="x") + end())
        else:
            await answer(writer, MODELS)

    async with listening(talk) as raw:
        port = raw.server.sockets[0].getsockname()[1]
        server = connect(raw.base_url, patience=Patience(first_wait_seconds=0.4))
        assert isinstance([item async for item in server.stream(ASKED)][-1], Answer)

    async def again() -> None:
        await asyncio.sleep(0.8)
        async with listening(talk, port):
            await silence()

    started = asyncio.create_task(again())
    items = await everything(server)
    started.cancel()
    assert retries(items) == ["connection refused"] * 2
    assert isinstance(items[-1], Answer)


async def test_an_answer_that_trickles_for_ever_is_none() -> None:
    """Something else may listen on a port where a model server could."""

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM)
        while not writer.is_closing():
            writer.write(b": ping\n\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with listening(talk) as raw, asyncio.timeout(5):
        error = await failing(connect(raw.base_url, patience=Patience(connect_seconds=0.1)), [])
    assert "no answer in time" in error


async def failing(server: Server, seen: list[Streamed]) -> str:
    try:
        async for item in server.stream(ASKED):
            seen.append(item)
    except Exception as error:  # noqa: BLE001  its words are looked at
        return str(error)
    finally:
        await server.close()
    return ""


async def test_an_answer_cut_within_a_character_is_tried_again() -> None:
    cut = delta(content="x") + b'data: {"choices":[{"delta":{"content":"\xc3'
    answers = iter((cut, delta(content="é") + end()))

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        if "chat/completions" in line:
            writer.write(STREAM + next(answers))
        else:
            await answer(writer, MODELS)

    async with listening(talk) as raw:
        items = await everything(connect(raw.base_url, patience=QUICK))
    assert retries(items) == ["the stream ended before the answer did"]
    assert isinstance(items[-1], Answer)
    assert items[-1].message.text == "é"


async def test_a_whole_answer_instead_of_a_stream_is_taken() -> None:
    body = b'{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}'

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        await answer(writer, body if "chat/completions" in line else MODELS)

    async with listening(talk) as raw:
        items = await everything(connect(raw.base_url, patience=QUICK))
    assert isinstance(items[-1], Answer)
    assert items[-1].message.text == "x"


async def test_an_error_with_status_200_is_an_error() -> None:
    """LM Studio answers so on paths that it does not know."""
    body = b'{"error": "Unexpected endpoint or method. (POST /v1/chat/completions)"}'

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        await answer(writer, body if "chat/completions" in line else MODELS)

    async with listening(talk) as raw:
        seen: list[Streamed] = []
        error = await failing(connect(raw.base_url, patience=QUICK), seen)
    assert "Unexpected endpoint" in error
    assert not seen


async def test_a_web_page_is_told_as_such() -> None:
    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        if "chat/completions" in line:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
            writer.write(head + b"<!doctype html>\n<html><title>Welcome</title>")
        else:
            await answer(writer, MODELS)

    async with listening(talk) as raw:
        error = await failing(connect(raw.base_url, patience=QUICK), [])
    assert "a proxy or a web server" in error.lower()
    assert "'Welcome'" in error
    assert "base_url" in error


async def test_a_server_that_sends_us_elsewhere_is_not_followed() -> None:
    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        if "chat/completions" in line:
            writer.write(b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\n\r\n")
        else:
            await answer(writer, MODELS)

    async with listening(talk) as raw:
        error = await failing(connect(raw.base_url, "key", patience=QUICK), [])
    assert "307" in error
    assert "set base_url" in error


async def test_unattended_a_server_that_went_away_is_waited_for() -> None:
    """Connection refused, then loading, for longer than the tries and the limits allow."""
    models, loading = iter((MODELS, *[b'{"data": [{"id": "n", "n_ctx": 9}]}'] * 9)), [True] * 4
    refused = b'{"error": {"message": "Loading model"}}'

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        if "chat/completions" in line:
            writer.write(STREAM + delta(content="x") + end())
        elif "/models" in line and raw_again and loading:
            loading.pop()
            await answer(writer, refused, "503 Service Unavailable")
        elif "/models" in line:
            await answer(writer, next(models))
        else:
            await answer(writer, b"{}", "404 Not Found")

    raw_again: list[bool] = []
    patience = replace(QUICK, unattended=True, loading_seconds=0.01, poll_seconds=0.02)
    async with listening(talk) as raw:
        port = raw.server.sockets[0].getsockname()[1]
        server = connect(raw.base_url, patience=patience)
        assert isinstance([item async for item in server.stream(ASKED)][-1], Answer)

    async def again() -> None:
        await asyncio.sleep(0.5)
        raw_again.append(True)
        async with listening(talk, port):
            await silence()

    started = asyncio.create_task(again())
    items = await everything(server)
    started.cancel()
    states = [item.state for item in items if isinstance(item, ServerState)]
    assert states == ["gone", *["loading"] * 4, "back"]
    (notice,) = [item.text for item in items if isinstance(item, Notice)]
    assert "n in place of m" in notice
    assert retries(items) == []
    assert isinstance(items[-1], Answer)


async def test_unattended_the_absence_is_told_again_from_time_to_time() -> None:
    patience = replace(QUICK, unattended=True, absence_seconds=0.1)
    server = connect("http://127.0.0.1:1", patience=patience)
    told: list[ServerState] = []
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.6):
            await server.facts(told.append)
    await server.close()
    assert {state.state for state in told} == {"gone"}
    assert 3 <= len(told) <= 6
    seconds = [state.seconds for state in told]
    assert seconds == sorted(seconds)


async def test_unattended_any_known_port_is_waited_for() -> None:
    patience = replace(QUICK, unattended=True)
    server = connect(patience=patience, ports=(1, 2))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.4):
            await server.facts()
    await server.close()


async def test_unattended_one_that_breaks_off_each_time_is_not_tried_for_ever() -> None:
    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        if "chat/completions" in line:
            writer.write(STREAM + delta(content="half"))
        else:
            await answer(writer, MODELS)

    seen: list[Streamed] = []
    async with listening(talk) as raw, asyncio.timeout(5):
        server = connect(raw.base_url, patience=replace(QUICK, unattended=True))
        error = await failing(server, seen)
    assert "broke off" in error
    assert len(retries(seen)) == QUICK.tries - 1


async def test_a_context_that_became_smaller_is_told_and_known() -> None:
    """Between two answers the server was started again with less."""
    contexts = iter((8192, 4096, 4096))

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        if "chat/completions" in line:
            writer.write(STREAM + next(answers))
        elif "/models" in line:
            row = {"id": "m", "context_length": next(contexts)}
            await answer(writer, json.dumps({"data": [row]}).encode())
        else:
            await answer(writer, b"{}", "404 Not Found")

    answers = iter((delta(content="half"), delta(content="x") + end()))
    async with listening(talk) as raw:
        server = connect(raw.base_url, patience=QUICK)
        assert (await server.facts()).context_tokens == 8192
        items = [item async for item in server.stream(ASKED)]
        assert (await server.facts()).context_tokens == 4096
        await server.close()
    (notice,) = [item.text for item in items if isinstance(item, Notice)]
    assert "4,096 tokens in place of 8,192" in notice


def facts_of(kind: str, base_url: str) -> ServerFacts:
    return ServerFacts(
        kind=kind,
        version="",
        base_url=base_url,
        model="m",
        models=("m",),
        context_tokens=None,
        strategy="plain",
        strategy_why="",
        reasoning_field="",
    )


@pytest.mark.parametrize(
    ("kind", "answers", "expected"),
    [
        ("llamacpp", {"/props": {"is_sleeping": True}}, "waking"),
        ("llamacpp", {"/props": {"error": {"message": "Loading model"}}}, "loading"),
        ("llamacpp", {"/props": {}, "/slots": [{"is_processing": True}]}, "busy"),
        ("llamacpp", {"/props": {}, "/slots": [{"is_processing": False}]}, ""),
        ("llamacpp", {"/props": {}, "/slots": {"error": {"code": 501}}}, ""),
        (
            "llamacpp-router",
            {"/v1/models": {"data": [{"id": "m", "status": {"value": "loading"}}]}},
            "loading",
        ),
        (
            "llamacpp-router",
            {"/v1/models": {"data": [{"id": "m", "status": {"value": "sleeping"}}]}},
            "waking",
        ),
        ("ollama", {"/api/ps": {"models": []}}, "loading"),
        ("ollama", {"/api/ps": {"models": [{"name": "m:latest"}]}}, ""),
        ("llama-swap", {"/running": {"running": [{"model": "m", "state": "starting"}]}}, "loading"),
        ("llama-swap", {"/running": {"running": [{"model": "m", "state": "ready"}]}}, ""),
        ("vllm", {}, ""),
        ("llamacpp", {"/props": [1], "/slots": [[]]}, ""),
        ("ollama", {"/api/ps": "no"}, ""),
        ("llamacpp-router", {"/v1/models": {"data": [3, {"id": "m", "status": []}]}}, ""),
    ],
)
async def test_what_keeps_a_server_is_read_from_what_it_tells(
    kind: str, answers: dict[str, Any], expected: str
) -> None:
    asked: list[str] = []

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        path = line.split()[1]
        asked.append(path)
        status = "503 Busy" if "Loading" in str(answers[path]) else "200 OK"
        await answer(writer, json.dumps(answers[path]).encode(), status)

    async with listening(talk) as raw, make_http(raw.base_url, 1) as http:
        found = await doing(Asker(http, "", 1), facts_of(kind, raw.base_url))
    assert found == expected
    assert set(asked) <= set(answers)


async def test_a_sleeping_server_is_not_asked_for_its_slots() -> None:
    """That would wake it (b11549)."""
    asked: list[str] = []

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        asked.append(line.split()[1])
        await answer(writer, b'{"is_sleeping": true}')

    async with listening(talk) as raw, make_http(raw.base_url, 1) as http:
        asker = Asker(http, "", 1)
        assert await doing(asker, facts_of("llamacpp", raw.base_url)) == "waking"
        assert await why_dead(asker, facts_of("llamacpp", raw.base_url), 1) == ""
    assert "/slots" not in asked


@pytest.mark.parametrize(("at_work", "stalled"), [(True, False), (False, True)])
async def test_one_that_lives_and_works_on_nothing_has_lost_the_request(
    at_work: bool,  # noqa: FBT001  a value of the table, no switch
    stalled: bool,  # noqa: FBT001
) -> None:
    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        if "/slots" in line:
            await answer(writer, json.dumps([{"is_processing": at_work}]).encode())
        else:
            await answer(writer, b'{"is_sleeping": false}')

    async with listening(talk) as raw, make_http(raw.base_url, 1) as http:
        because = await why_dead(Asker(http, "", 1), facts_of("llamacpp", raw.base_url), 1)
    assert bool(because) == stalled


async def test_a_list_of_models_that_fails_for_a_while_ends_no_turn() -> None:
    """A proxy's page, after the connection broke: the request itself tells what is wrong."""
    answers = iter((delta(content="half"), delta(content="x") + end()))
    broke = asyncio.Event()

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        if "chat/completions" in line:
            writer.write(STREAM + next(answers))
            broke.set()
        elif broke.is_set():
            await answer(writer, b"<html><title>Bad Gateway</title>", "502 Bad Gateway")
        else:
            await answer(writer, MODELS)

    async with listening(talk) as raw:
        items = await everything(connect(raw.base_url, patience=QUICK))
    assert len(retries(items)) == 1
    assert isinstance(items[-1], Answer)


async def test_a_model_that_was_not_loaded_is_looked_at_once_more_when_it_is() -> None:
    """llama.cpp's router tells the loaded context only then."""
    loaded, looks = asyncio.Event(), 0

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        nonlocal looks
        if "chat/completions" in line:
            loaded.set()
            writer.write(STREAM + delta(content="x") + end())
        elif "/models" in line:  # also while it is slow to take a request
            status = {"value": "loaded" if loaded.is_set() else "unloaded"}
            row = {"id": "m", "status": status, "meta": {"n_ctx": 4096} if loaded.is_set() else {}}
            await answer(writer, json.dumps({"data": [row]}).encode())
        elif "/props" in line:
            looks += 1
            await answer(writer, b'{"role": "router"}')
        else:
            await answer(writer, b"{}", "404 Not Found")

    async with listening(talk) as raw:
        server = connect(raw.base_url, patience=QUICK)
        assert (await server.facts()).context_tokens is None
        first = looks
        for _ in range(3):
            items = [item async for item in server.stream(ASKED)]
        assert (await server.facts()).context_tokens == 4096
        await server.close()
    assert first < looks <= 2 * first
    assert not [item for item in items if isinstance(item, Notice)]
