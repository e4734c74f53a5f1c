"""Just enough of HTTP/1.1 for one loopback endpoint: read a request, write an answer, close."""

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

BODY_LIMIT_BYTES = 16_000_000
READ_SECONDS = 30.0


class BadRequest(Exception):
    """What came is no request that can be answered; the text says why."""


class HttpRequest(msgspec.Struct, frozen=True):
    """One request, whole."""

    method: str
    path: str
    """Without the query."""
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises BadRequest."""
        try:
            value = json.loads(self.body)
        except ValueError as error:
            raise BadRequest(f"the body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise BadRequest("the body is not a JSON object")
        return value


async def read_request(reader: asyncio.StreamReader) -> HttpRequest | None:
    """The request; None = the other side connected and said nothing. Raises BadRequest."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await _read(reader)
    except TimeoutError as error:
        raise BadRequest(f"the request did not arrive within {READ_SECONDS:.0f} s") from error


async def _read(reader: asyncio.StreamReader) -> HttpRequest | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise BadRequest("the request was cut off") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequest("the headers are too long") from error
    method, path, headers = _parse(head)
    length = _length(headers)
    try:
        body = await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise BadRequest("the body was cut off") from error
    return HttpRequest(method, path, body)


def _parse(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *rows = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest("this is not HTTP/1.1")
    pairs = (row.partition(":") for row in rows)
    return words[0], words[1].partition("?")[0], {k.strip().lower(): v.strip() for k, _, v in pairs}


def _length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise BadRequest("send a Content-Length; chunked requests are not read here")
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit()) or int(text) > BODY_LIMIT_BYTES:
        raise BadRequest("the Content-Length is no number, or too large")
    return int(text)


def json_answer(status: HTTPStatus, value: Mapping[str, Any]) -> bytes:
    """A whole answer; the connection ends after it."""
    body = json.dumps(value).encode()
    return _head(status, "application/json", f"Content-Length: {len(body)}\r\n") + body


def stream_head() -> bytes:
    """The start of an event stream; it ends when the connection does."""
    return _head(HTTPStatus.OK, "text/event-stream", "Cache-Control: no-store\r\n")


def _head(status: HTTPStatus, media_type: str, more: str) -> bytes:
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nServer: qcode-playback\r\n"
        f"Content-Type: {media_type}; charset=utf-8\r\n{more}Connection: close\r\n\r\n"
    ).encode()
