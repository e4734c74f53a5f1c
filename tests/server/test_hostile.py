"""An endpoint that is broken or means harm: nothing is lost, nothing leaks, nothing grows."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest

from qcode.protocol.errors import BadAnswer, ServerError
from qcode.server.base import Answer, Request, Server, Streamed
from qcode.server.client import connect
from qcode.server.door import warm
from qcode.server.endpoint import Patience
from qcode.server.failures import Refusal, Unusable, read_body
from qcode.server.reader import Reader
from tests.server.raw import STREAM, answer, listening
from tests.server.streams import DONE, delta

KEY = "sk-a-secret"
QUICK = Patience(connect_seconds=2, probe_seconds=0.5, tries=2, first_wait_seconds=0.01)
ASKED = Request("m", [{"role": "user", "content": "Hello"}], ())
MODELS = b'{"data": [{"id": "m"}]}'
CHUNKED = STREAM[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"

Chat = Callable[[asyncio.StreamWriter], Awaitable[None]]


async def said(chat: Chat, items: list[Streamed], key: str = "") -> None:
    """What comes of a server that answers a chat so goes into `items`. Raises as `stream` does."""

    async def talk(line: str, writer: asyncio.StreamWriter) -> None:
        await (chat(writer) if "chat/completions" in line else answer(writer, MODELS))

    async with listening(talk) as raw:
        server: Server = connect(raw.base_url, key, patience=QUICK)
        try:
            async with asyncio.timeout(20):
                items.extend([item async for item in server.stream(ASKED)])
        finally:
            await server.close()


@pytest.mark.parametrize("last", [DONE, b""], ids=["behind [DONE]", "behind the finish reason"])
async def test_an_answer_that_has_ended_is_kept_when_the_connection_then_breaks(
    last: bytes,
) -> None:
    whole = delta(content="Hello.") + delta("stop") + last

    async def chat(writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + b"%x\r\n%s\r\n" % (len(whole), whole))  # and no last chunk
        await writer.drain()

    items: list[Streamed] = []
    await said(chat, items)
    assert isinstance(items[-1], Answer)
    assert items[-1].message.text == "Hello."
    assert len(items) == 2


@pytest.mark.parametrize(
    "head", [STREAM, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"], ids=str
)
async def test_a_key_that_a_server_repeats_with_status_200_is_not_passed_on(
    head: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    error = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}).encode()
    body = b"data: " + error + b"\n\n" if head == STREAM else error

    async def chat(writer: asyncio.StreamWriter) -> None:
        writer.write(head + body)
        await writer.drain()

    with pytest.raises(ServerError, match=r"\[key\]") as refused:
        await said(chat, [], KEY)
    assert KEY not in str(refused.value)
    assert KEY not in caplog.text


async def test_an_error_without_an_end_is_read_as_far_as_an_honest_one_goes() -> None:
    """By `openai`'s door too, which reads all of an error before it tells of it."""
    await asyncio.to_thread(warm().wait)
    sent = 0

    async def chat(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\n\r\n")
        while sent < 64 << 20:
            writer.write(b"x" * 65_536)
            sent += 65_536
            await writer.drain()

    with pytest.raises(BadAnswer, match=r"400: x+"):
        await said(chat, [])
    assert sent < 32 << 20


DEEP = """
import sys
from qcode.server.failures import Refusal, Unusable, read_body
from qcode.server.reader import Reader
for depth in range(850, 1010):
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        nested = opening * depth + b"1" + closing * depth
        read_body(b'{"error":' + nested + b"}")
        for event in (b'{"error":%s}', b'{"object":"error","message":%s}'):
            try:
                Reader().feed(b"data: " + event % nested + b"\\n\\n")
            except (Refusal, Unusable):
                pass
"""


def test_json_of_any_depth_is_an_error_and_no_crash() -> None:
    """In an interpreter of its own: what is too deep hangs on how deep the callers are."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", DEEP], capture_output=True, text=True, env=environ)
    assert ran.returncode == 0, ran.stderr[-400:]
    deepest = b"[" * 100_000
    assert read_body(b'{"error":' + deepest)
    with pytest.raises((Refusal, Unusable)):
        Reader().feed(b'data: {"error":' + deepest + b"]" * 100_000 + b"}\n\n")
