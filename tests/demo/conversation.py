"""A client as small as possible: it sends a conversation and gathers one streamed answer."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

TOOLS = ("read", "write", "edit", "glob", "grep", "shell", "todo", "ask")


@dataclass
class Gathered:
    """One answer, put together from its deltas."""

    reasoning: str = ""
    text: str = ""
    calls: list[dict[str, str]] = field(default_factory=list)
    finish: str = ""
    deltas: int = 0
    done: bool = False


def body(messages: Sequence[dict[str, Any]], tools: Sequence[str] = TOOLS) -> dict[str, Any]:
    """A request as qcode sends it."""
    envelopes = [{"type": "function", "function": {"name": name}} for name in tools]
    return {"model": "any", "stream": True, "messages": list(messages), "tools": envelopes}


async def post(base_url: str, request: dict[str, Any]) -> tuple[int, bytes]:
    """Status and whole body of a chat completion."""
    raw = json.dumps(request).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(raw)}\r\n\r\n"
    return await talk(base_url, head.encode() + raw)


async def get(base_url: str, path: str) -> tuple[int, Any]:
    """Status and JSON body."""
    status, raw = await talk(base_url, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return status, json.loads(raw)


async def talk(base_url: str, raw: bytes) -> tuple[int, bytes]:
    """Send bytes, read until the server closes; status and body."""
    where = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(raw)
    answer = await reader.read()
    writer.close()
    head, _, rest = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), rest


def gather(raw: bytes) -> Gathered:
    """The answer from the bytes of its event stream."""
    answer = Gathered()
    for event in raw.decode().split("\n\n")[:-1]:
        data = event.removeprefix("data: ")
        if data == "[DONE]":
            answer.done = True
            continue
        _add(answer, json.loads(data)["choices"][0])
    return answer


def _add(answer: Gathered, choice: dict[str, Any]) -> None:
    answer.deltas += 1
    answer.finish = choice["finish_reason"] or ""
    delta = choice["delta"]
    answer.reasoning += delta.get("reasoning_content") or ""
    answer.text += delta.get("content") or ""
    for part in delta.get("tool_calls", ()):
        if "id" in part:
            answer.calls.append({"id": part["id"], "name": part["function"]["name"], "json": ""})
        answer.calls[part["index"]]["json"] += part["function"]["arguments"]
