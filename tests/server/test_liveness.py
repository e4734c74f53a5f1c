"""A silent server: waited for while it lives, given up when it is dead."""

import asyncio

from qcode.protocol.events import Retried, TextDelta
from qcode.server.base import Answer, Request, Server, Streamed
from qcode.server.client import connect
from qcode.server.endpoint import Patience
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
