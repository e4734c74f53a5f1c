"""What a scripted Ollama says: of itself, and a `Reply` by its own `/api/chat`.

The words are those of 0.33.2 (server/routes.go, api/types.go).
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.http1 import Json
from tests.support.script import Body, Call, Received, Reply

CHAT = "/api/chat"
NDJSON = {"Content-Type": "application/x-ndjson"}

_MADE_FOR = 262_144
_numbers = itertools.count(1)


def answer(model: str, context_tokens: int, request: Received) -> tuple[int, Json]:
    """Status and body for anything but a chat."""
    match request.method, request.path:
        case "GET", "/":
            return 200, "Ollama is running"
        case "GET", "/api/version":
            return 200, {"version": "0.33.2"}
        case "GET", "/api/ps":
            return 200, {"models": [{"name": model, "context_length": context_tokens}]}
        case "POST", "/api/show":
            able = ["completion", "vision", "tools", "thinking"]
            info = {"qwen35.context_length": _MADE_FOR}
            return 200, {"model_info": info, "capabilities": able}
    return 404, "404 page not found"


def writes(reply: Reply) -> Iterator[bytes]:
    """Everything before the last line, cut as `reply.pace` wants it."""
    lines = _lines(reply) if reply.raw is None else iter((reply.raw,))
    size = reply.pace.write_bytes
    if not size:
        yield from lines
        return
    data = b"".join(lines)
    for start in range(0, len(data), size):
        yield data[start : start + size]


def closing(reply: Reply) -> bytes:
    """The last line, with the figures; nothing behind raw bytes, nor where the end is missing."""
    if reply.raw is not None or reply.end == "no_done":
        return b""
    reason = "length" if reply.finish == "length" else "stop"
    told: dict[str, Any] = {"total_duration": 3_000_000_000, "load_duration": 1_000_000}
    if reply.usage:
        told |= {
            "prompt_eval_count": reply.usage.prompt,
            "prompt_eval_duration": round(reply.usage.read_seconds * 1e9),
            "eval_count": reply.usage.completion,
            "eval_duration": round(reply.usage.write_seconds * 1e9),
        }
        if reply.usage.cached is not None:
            told["prompt_eval_cached_count"] = reply.usage.cached
    return _line({"content": ""}, done=True, done_reason=reason, **told)


def _lines(reply: Reply) -> Iterator[bytes]:
    size = reply.pace.characters
    for piece in _pieces(reply.reasoning, size):
        yield _line({"content": "", "thinking": piece})
    for piece in _pieces(reply.text, size):
        yield _line({"content": piece})
    for index, call in enumerate(reply.calls):
        yield _line({"content": "", "tool_calls": [_call(index, call)]})


def _pieces(text: str, size: int) -> Iterator[str]:
    step = size or max(len(text), 1)
    for start in range(0, len(text), step):
        yield text[start : start + step]


def _call(index: int, call: Call) -> dict[str, Any]:
    """Always whole, its arguments an object: what is none its parser cannot have made."""
    function = {"index": index, "name": call.name, "arguments": json.loads(call.text)}
    return {"id": call.id or f"call_{next(_numbers):08}", "function": function}


def _line(message: Mapping[str, Any], *, done: bool = False, **told: Any) -> bytes:
    about = {"model": "m", "created_at": "2026-11-21T16:00:00Z"}
    line = {**about, "message": {"role": "assistant", **message}, "done": done, **told}
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


def asked_context(body: Body) -> int | None:
    """The context that a request has it load."""
    options = body.get("options") or {}
    found = options.get("num_ctx")
    return found if isinstance(found, int) else None
