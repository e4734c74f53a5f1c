"""Ollama's own `/api/chat`: OpenAI's words into its own, its lines into our chunks. Pure.

As of 0.33.2 (api/types.go, server/routes.go). What it takes that `/v1` does not: the length of the
context, all sampling values, a word against silent truncation. Calls have their arguments as an
object in the model's own order (kept since 0.14), images stand beside the text, and an answer is a
JSON object a line, of which the last has the figures.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from qcode.server.chunks import (
    CallPiece,
    Choice,
    Chunk,
    Delta,
    Function,
    PromptDetails,
    Timings,
    UsageBlock,
    decoded,
)
from qcode.server.forms import Form
from qcode.server.ndjson import Lines

_NANOSECONDS = 1e9


def body(sent: Mapping[str, Any]) -> dict[str, Any]:
    """A body for `/v1/chat/completions`, with the fields of the row, as a body for `/api/chat`.

    `options.top_k` becomes a field of `options`. The same message gives the same words in each
    request: what it becomes depends on it and on the calls before it.
    """
    told: dict[str, Any] = {}
    for name, value in sent.items():
        outer, _, inner = name.partition(".")
        if name == "messages":
            told[name] = list(_messages(value))
        elif inner:
            told[outer] = {**told.get(outer, {}), inner: value}
        elif isinstance(value, Mapping) and name in told:  # `options` of `Request.extra`
            told[name] |= value
        else:
            told[name] = value
    return told


def _messages(messages: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    names: dict[str, str] = {}  # of tools, by the id of a call
    for message in messages:
        told = dict(message)
        if calls := told.get("tool_calls"):
            names |= {call["id"]: call["function"]["name"] for call in calls}
            told["tool_calls"] = [_call(call) for call in calls]
        if told["role"] == "tool":
            told["tool_name"] = names.get(told["tool_call_id"], "")
        if isinstance(parts := told["content"], list):
            told |= _seen(parts)
        yield told


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call["function"]
    arguments = _object(function["arguments"])
    return {"id": call["id"], "function": {"name": function["name"], "arguments": arguments}}


def _object(text: str) -> dict[str, Any]:
    """Arguments with their keys in the model's order; what is no object cannot be said here."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _seen(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Text and pictures; these are base64 without the head of a `data:` address."""
    urls = (part["image_url"]["url"] for part in parts if part["type"] == "image_url")
    text = "".join(part["text"] for part in parts if part["type"] == "text")
    return {"content": text, "images": [url.partition(",")[2] for url in urls]}


class _Function(msgspec.Struct, gc=False):
    index: int | None = None
    name: str | None = None
    arguments: Any = None


class _Call(msgspec.Struct, gc=False):
    id: str | None = None
    function: _Function | None = None


class _Message(msgspec.Struct, gc=False):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_Call] | None = None


class _Line(msgspec.Struct, gc=False):
    """One line. Durations are nanoseconds."""

    message: _Message | None = None
    error: Any = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    """Of the whole prompt, since 0.30; before of what was read anew."""
    prompt_eval_cached_count: int | None = None
    """The part of it that was in the cache, since 0.33."""
    prompt_eval_duration: int | None = None
    eval_count: int | None = None
    eval_duration: int | None = None


_DECODER = msgspec.json.Decoder(_Line, strict=False)


def chunk(payload: bytes) -> Chunk:
    """The line in `payload`. Raises Unusable."""
    line = decoded(payload, _DECODER)
    if line.error:
        return Chunk(error=line.error)
    choice = Choice(delta=_delta(line.message), finish_reason=_finish(line))
    if not line.done:
        return Chunk([choice])
    return Chunk([choice], usage=_usage(line), timings=_timings(line))


LINES = Form(Lines, chunk)


def _delta(message: _Message | None) -> Delta | None:
    if message is None:
        return None
    calls = [_piece(call) for call in message.tool_calls or ()]
    return Delta(message.content, thinking=message.thinking, tool_calls=calls or None)


def _piece(call: _Call) -> CallPiece:
    """A call, which is whole. Before 0.17.4 the indices of two are the same, which may be."""
    function = call.function or _Function()
    arguments = {} if function.arguments is None else function.arguments
    return CallPiece(function.index, call.id, Function(function.name, arguments))


def _finish(line: _Line) -> str | None:
    """Without a reason the runner was lost, and the answer is no whole one (llm/server.go)."""
    if not line.done or not line.done_reason:
        return None
    return "length" if line.done_reason == "length" else "stop"


def _usage(line: _Line) -> UsageBlock:
    cached = line.prompt_eval_cached_count
    details = None if cached is None else PromptDetails(cached)
    return UsageBlock(line.prompt_eval_count, line.eval_count, details)


def _timings(line: _Line) -> Timings:
    """How fast the prompt was read is known only where the cached part is."""
    prompt, cached = line.prompt_eval_count, line.prompt_eval_cached_count
    read = None if prompt is None or cached is None else prompt - cached
    return Timings(
        prompt_per_second=_rate(read, line.prompt_eval_duration),
        predicted_per_second=_rate(line.eval_count, line.eval_duration),
    )


def _rate(tokens: int | None, nanoseconds: int | None) -> float | None:
    return tokens / (nanoseconds / _NANOSECONDS) if tokens and nanoseconds else None
