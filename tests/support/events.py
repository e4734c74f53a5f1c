"""A `Reply` as the server-sent events of a streaming chat completion."""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.script import Body, Call, Reply, Usage

DONE = b"data: [DONE]\n\n"

_ABOUT = {"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": 0, "model": "m"}

_numbers = itertools.count(1)


def event(data: Mapping[str, Any]) -> bytes:
    """One event of the stream."""
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def writes(reply: Reply) -> Iterator[bytes]:
    """Everything before the finish chunk, cut as `reply.pace` wants it."""
    events = _deltas(reply) if reply.raw is None else iter((reply.raw,))
    size = reply.pace.write_bytes
    if not size:
        yield from events
        return
    data = b"".join(events)
    for start in range(0, len(data), size):
        yield data[start : start + size]


def closing(reply: Reply, body: Body) -> bytes:
    """The finish chunk, usage and timings on a chunk of their own (as llama.cpp has it), `[DONE]`;
    nothing after raw bytes."""
    if reply.raw is not None:
        return b""
    data = _chunk({}, finish=_finish(reply))
    extra: dict[str, Any] = {}
    if reply.usage and (body.get("stream_options") or {}).get("include_usage"):
        extra["usage"] = _usage(reply.usage)
    if reply.timings:
        extra["timings"] = dict(reply.timings)
    if extra:
        data += event({**_ABOUT, "choices": [], **extra})
    return data + (DONE if reply.end == "done" else b"")


def whole(reply: Reply) -> dict[str, Any]:
    """The same answer for a client that did not ask for a stream."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if reply.reasoning:
        message[reply.reasoning_field] = reply.reasoning
    if reply.calls:
        message["tool_calls"] = [_call_head(call, call.text) for call in reply.calls]
    answer: dict[str, Any] = {
        "object": "chat.completion",
        "choices": [{"index": 0, "finish_reason": _finish(reply), "message": message}],
    }
    if reply.usage:
        answer["usage"] = _usage(reply.usage)
    if reply.timings:
        answer["timings"] = dict(reply.timings)
    return answer


def _deltas(reply: Reply) -> Iterator[bytes]:
    yield _chunk({"role": "assistant", "content": None})
    for progress in reply.progress:
        yield _chunk({}, prompt_progress=dict(progress))
    size = reply.pace.characters
    for piece in _pieces(reply.reasoning, size):
        yield _chunk({reply.reasoning_field: piece})
    for piece in _pieces(reply.text, size):
        yield _chunk({"content": piece})
    for index, call in enumerate(reply.calls):
        yield from _call(index, call, size)


def _pieces(text: str, size: int) -> Iterator[str]:
    """`text` in pieces of `size` characters; 0 = in one; nothing for an empty text."""
    step = size or max(len(text), 1)
    for start in range(0, len(text), step):
        yield text[start : start + step]


def _call(index: int, call: Call, size: int) -> Iterator[bytes]:
    yield _chunk({"tool_calls": [{"index": index, **_call_head(call, "")}]})
    for piece in _pieces(call.text, size):
        yield _chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})


def _call_head(call: Call, arguments: str) -> dict[str, Any]:
    name = call.id or f"call_{next(_numbers)}"
    function = {"name": call.name, "arguments": arguments}
    return {"id": name, "type": "function", "function": function}


def _chunk(delta: Mapping[str, Any], *, finish: str | None = None, **extra: object) -> bytes:
    choice = {"index": 0, "finish_reason": finish, "delta": delta}
    return event({**_ABOUT, "choices": [choice], **extra})


def _finish(reply: Reply) -> str:
    return reply.finish or ("tool_calls" if reply.calls else "stop")


def _usage(usage: Usage) -> dict[str, Any]:
    counts: dict[str, Any] = {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
    }
    if usage.cached is not None:
        counts["prompt_tokens_details"] = {"cached_tokens": usage.cached}
    return counts
