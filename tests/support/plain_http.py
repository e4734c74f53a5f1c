"""HTTP by the standard library, for tests that must not lean on the client they test."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

SECONDS = 60.0


class HttpError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text[:500]}")
        self.status = status
        self.text = text


def get(origin: str, path: str) -> Any:
    """The JSON at `path`, or its text where it is none."""
    return _whole(origin, "GET", path, None)


def post(origin: str, path: str, body: Mapping[str, Any]) -> Any:
    """The same, for a JSON body."""
    return _whole(origin, "POST", path, json.dumps(body).encode())


def tokenize(origin: str, text: str) -> list[int]:
    """The engine's own tokens of `text`, control tokens and tags recognised."""
    return list(post(origin, "/tokenize", {"content": text})["tokens"])


@contextmanager
def stream(origin: str, body: Mapping[str, Any]) -> Iterator[Iterator[dict[str, Any]]]:
    """The chunks of a streamed chat completion as they come. Leaving closes the connection."""
    connection = _open(origin)
    try:
        data = json.dumps({**body, "stream": True}).encode()
        connection.request("POST", "/v1/chat/completions", data, _JSON)
        response = connection.getresponse()
        if response.status != 200:
            raise HttpError(response.status, response.read().decode())
        yield (json.loads(row[6:]) for row in response if _is_data(row))
    finally:
        connection.close()


_JSON = {"Content-Type": "application/json"}


def _is_data(row: bytes) -> bool:
    return row.startswith(b"data: {")


def _open(origin: str) -> http.client.HTTPConnection:
    place = urlsplit(origin)
    return http.client.HTTPConnection(place.hostname or "", place.port, timeout=SECONDS)


def _whole(origin: str, method: str, path: str, data: bytes | None) -> Any:
    connection = _open(origin)
    try:
        connection.request(method, path, data, _JSON if data else {})
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    if response.status != 200:
        raise HttpError(response.status, text)
    return json.loads(text) if text.startswith(("{", "[")) else text
