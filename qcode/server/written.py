"""Calls and results as the text that a template makes of them, where a server passes none on.

llama-cpp-python 0.3.36 insists on arguments as text and hands them so to the template; Qwen's wants
an object, and raises. The stream then ends without a word (seen). As text the template copies both,
and what it renders is the same. Pure.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Message = Mapping[str, Any]


def written(messages: Sequence[Message], reasoning_field: str) -> list[Message]:
    """`messages` without calls and results: those of the assistant and of a user hold them."""
    found: list[Message] = []
    results: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            results.append(f"<tool_response>\n{message['content']}\n</tool_response>")
            continue
        found += _asked(results)
        results = []
        found.append(_said(message, reasoning_field) if message["role"] == "assistant" else message)
    return [*found, *_asked(results)]


def _asked(results: Sequence[str]) -> Iterator[Message]:
    if results:
        yield {"role": "user", "content": "\n".join(results)}


def _said(message: Message, reasoning_field: str) -> Message:
    """The template takes the reasoning out of the marks again."""
    thought = str(message.get(reasoning_field) or "").strip()
    said = [str(message.get("content") or ""), *map(_call, message.get("tool_calls") or ())]
    head = f"<think>\n{thought}\n</think>\n\n" if thought else ""
    first, *calls = said
    text = "\n".join(calls)
    body = f"{first}\n\n{text}" if first.strip() and text else first.strip() or text
    return {"role": "assistant", "content": head + body}


def _call(call: Mapping[str, Any]) -> str:
    function = call["function"]
    fields = json.loads(function["arguments"] or "{}")
    rows = [f"<parameter={name}>\n{_value(value)}\n</parameter>" for name, value in fields.items()]
    return "\n".join(["<tool_call>", f"<function={function['name']}>", *rows, "</function>"]) + (
        "\n</tool_call>"
    )


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
