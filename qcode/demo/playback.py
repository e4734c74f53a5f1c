"""The demo's endpoint: a real HTTP server on loopback that plays back a script and is no model.

It says so in its model's name, in `/health` and in every refusal.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from qcode.demo.http import (
    BadRequest,
    HttpRequest,
    json_answer,
    read_request,
    stream_head,
)
from qcode.demo.script import MODEL, Answer, Call, OffScript, Script

DELTA_SECONDS = 0.006
"""Between two deltas: slow enough to be seen as a stream, under 3 s for the whole demo."""

_PIECES = re.compile(r"\s*\S+\s*")
_ARGUMENT_PIECE_CHARACTERS = 12


@asynccontextmanager
async def playback(script: Script, delta_seconds: float = DELTA_SECONDS) -> AsyncIterator[str]:
    """Serve `script` on a free port of 127.0.0.1; yields the base URL, gone at the end."""
    endpoint = _Endpoint(script, delta_seconds)
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.close()
        await endpoint.finish()


class _Endpoint:
    """Routes and connections. The conversation is in the requests: nothing of it is kept here."""

    def __init__(self, script: Script, delta_seconds: float) -> None:
        self.script = script
        self.delta_seconds = delta_seconds
        self.open: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        task = asyncio.current_task()
        assert task is not None  # a coroutine always runs in one
        self.open.add(task)
        try:
            await self._answer(reader, writer)
        except ConnectionError:
            return  # the client closed the connection: that is how it cancels
        finally:
            self.open.discard(task)
            writer.close()

    async def finish(self) -> None:
        """End the connections that are still open."""
        for task in self.open:
            task.cancel()
        await asyncio.gather(*self.open, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await read_request(reader)
            if request is None:
                return
            if (request.method, request.path) == ("POST", "/v1/chat/completions"):
                await self._stream(self._reply(request), writer)
                return
            reply = _facts(request)
        except OffScript as off:
            reply = _refusal(HTTPStatus.BAD_REQUEST, str(off))
        except BadRequest as bad:
            reply = _refusal(HTTPStatus.BAD_REQUEST, str(bad))
        writer.write(reply)
        await writer.drain()

    def _reply(self, request: HttpRequest) -> Answer:
        body = request.json()
        if body.get("stream") is not True:
            raise OffScript("it streams its answers: send stream=true")
        return self.script.reply(body)

    async def _stream(self, answer: Answer, writer: asyncio.StreamWriter) -> None:
        writer.write(stream_head())
        for chunk in _chunks(answer):
            writer.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
            await writer.drain()
            await asyncio.sleep(self.delta_seconds)  # for the eye: a file read aloud, not thought
        writer.write(b"data: [DONE]\n\n")
        await writer.drain()


def _facts(request: HttpRequest) -> bytes:
    """What a client may ask beside a completion."""
    match request.method, request.path:
        case "GET", "/health" | "/v1/health":
            return json_answer(HTTPStatus.OK, {"status": "ok", "kind": MODEL})
        case "GET", "/v1/models":
            model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "qcode-playback"}
            return json_answer(HTTPStatus.OK, {"object": "list", "data": [model]})
        case method, path:
            return _refusal(HTTPStatus.NOT_FOUND, f"it has no {method} {path}")


def _refusal(status: HTTPStatus, why: str) -> bytes:
    message = f"This is qcode's playback, a script and no model: {why}."
    error = {"message": message, "type": "off_script", "code": status.value}
    return json_answer(status, {"error": error})


def _chunks(answer: Answer) -> Iterator[dict[str, Any]]:
    """The answer as an OpenAI stream sends it: reasoning, text, calls, the end.

    No usage is sent: a script has no tokens to count.
    """
    created = int(time.time())
    for delta, finish in _deltas(answer):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        yield {
            "id": "playback",
            "object": "chat.completion.chunk",
            "created": created,
            "model": MODEL,
            "choices": [choice],
        }


def _deltas(answer: Answer) -> Iterator[tuple[dict[str, Any], str | None]]:
    yield {"role": "assistant", "content": None}, None
    for piece in _PIECES.findall(answer.reasoning):
        yield {"reasoning_content": piece}, None
    for piece in _PIECES.findall(answer.text):
        yield {"content": piece}, None
    for index, call in enumerate(answer.calls):
        for fragment in _fragments(index, call):
            yield {"tool_calls": [fragment]}, None
    yield {}, "tool_calls" if answer.calls else "stop"


def _fragments(index: int, call: Call) -> Iterator[dict[str, Any]]:
    """Identity and name first, then the arguments in pieces."""
    function = {"name": call.tool, "arguments": ""}
    yield {"index": index, "id": call.id, "type": "function", "function": function}
    arguments = json.dumps(dict(call.arguments))
    for start in range(0, len(arguments), _ARGUMENT_PIECE_CHARACTERS):
        piece = arguments[start : start + _ARGUMENT_PIECE_CHARACTERS]
        yield {"index": index, "function": {"arguments": piece}}
