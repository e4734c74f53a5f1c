"""What servers tell of themselves is not trusted: what is of another type is not told."""

import copy
import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import httpx2
import pytest

from qcode.server.ask import Asker
from qcode.server.detect import survey
from tests.server.replay import Asked, Wire, load, wires


def _with(value: Any, path: Sequence[Any], new: Any) -> Any:
    """`value` with another one at `path`."""
    if not path:
        return new
    changed = copy.copy(value)
    changed[path[0]] = _with(value[path[0]], path[1:], new)
    return changed


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """To all that is in `value`, itself included."""
    yield path
    rows = value.items() if isinstance(value, dict) else ()
    for key, each in enumerate(value) if isinstance(value, list) else rows:
        yield from _paths(each, (*path, key))


@pytest.mark.parametrize("name", wires())
async def test_a_number_in_the_place_of_anything_is_no_crash(name: str) -> None:
    told = load(name).told
    for line, answer in told["answers"].items():
        for path in _paths(answer.get("body")):
            odd = {**answer, "body": _with(answer.get("body"), path, 5)}
            recorded = Wire(name, {**told, "answers": {**told["answers"], line: odd}})
            transport = httpx2.MockTransport(partial(_replayed, recorded))
            async with httpx2.AsyncClient(transport=transport) as http:
                (seen,) = await survey(Asker(http, "", 2.0), ["http://127.0.0.1:1/v1"])
            assert seen.base_url


def _replayed(wire: Wire, request: httpx2.Request) -> httpx2.Response:
    body = json.loads(request.content or b"{}")
    said = wire.answer(Asked(request.method, request.url.raw_path.decode(), body))
    status, headers, words = said.get("status", 200), said.get("headers"), said.get("body", "")
    if isinstance(words, str):
        return httpx2.Response(status, headers=headers, text=words)
    return httpx2.Response(status, headers=headers, json=words)
