"""Messages -> the JSON that a server is sent, so that history renders as it was generated.

Pure, and a message at a time: a message's JSON depends on the message, on the strategy, and on
whether it stands before the last query. What it guards against is the chat template of Qwen 3.5
and 3.6 (seen rendered in November 2026): it leaves out the reasoning of every answer before the
last user message, so each new user message would change the prompt from there on.

- `native`: the template keeps reasoning when `preserve_thinking` asks for it.
- `fold`: an answer before the last query carries its reasoning in its content, as it was generated.
- `plain`: reasoning goes into its field and nothing is promised.

An answer without any part has no exact shape: templates trim the end of its empty think block away.
It costs the tokens of that end, and is better not stored.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from qcode.protocol.messages import (
    AssistantMessage,
    Image,
    Message,
    Text,
    ToolCall,
    ToolSpec,
    UserMessage,
)
from qcode.server.base import Strategy

Place = Literal["before", "after"]
"""Of a message: before or after the last query. A query itself is `after`."""

BLANK = " "
"""For "no reasoning": llama.cpp b11549 takes an empty field for an absent one, and then cuts
`<think>` blocks out of the content. One blank counts as a value, and templates trim it away."""


def is_query(message: Message) -> bool:
    """Whether the template takes `message` for a question of the user.

    It does not where the words look like a tool result; images always come last, and so no
    message with one looks so.
    """
    if not isinstance(message, UserMessage):
        return False
    if any(isinstance(part, Image) for part in message.parts):
        return True
    words = message.text.strip()
    return not (words.startswith("<tool_response>") and words.endswith("</tool_response>"))


def last_query(messages: Sequence[Message]) -> int:
    """Index of the last query, -1 where there is none."""
    return next((at for at in range(len(messages) - 1, -1, -1) if is_query(messages[at])), -1)


def wire_messages(
    system: str, messages: Sequence[Message], strategy: Strategy, reasoning_field: str
) -> list[dict[str, Any]]:
    """The `messages` of a request; an empty `system` is left out."""
    query = last_query(messages)
    wired = [
        wire_message(message, "before" if at < query else "after", strategy, reasoning_field)
        for at, message in enumerate(messages)
    ]
    return [{"role": "system", "content": system}, *wired] if system else wired


def wire_message(
    message: Message, place: Place, strategy: Strategy, reasoning_field: str
) -> dict[str, Any]:
    """One message. The same arguments give the same bytes, for as long as the session lasts."""
    if isinstance(message, UserMessage):
        return {"role": "user", "content": _user_content(message)}
    if isinstance(message, AssistantMessage):
        return _assistant(message, place, strategy, reasoning_field)
    return {"role": "tool", "tool_call_id": message.call_id, "content": message.text}


def wire_tools(specs: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """The `tools` of a request, in the order given, keys in the order of each schema's text."""
    return [
        {
            "type": "function",
            "function": {
                "name": spec.name,
                "description": spec.description,
                "parameters": json.loads(spec.parameters),
            },
        }
        for spec in specs
    ]


def template_kwargs(strategy: Strategy, thinking: Literal["on", "off"]) -> Mapping[str, bool]:
    """The `chat_template_kwargs` that go with a strategy. JSON booleans: llama.cpp insists."""
    kwargs = {"enable_thinking": thinking == "on"}
    return kwargs | {"preserve_thinking": True} if strategy == "native" else kwargs


def fold(reasoning: str, text: str) -> str:
    """An answer with its reasoning as a model generates them, in one text."""
    return f"<think>\n{reasoning.strip()}\n</think>\n\n{text.strip()}"


def _assistant(
    message: AssistantMessage, place: Place, strategy: Strategy, reasoning_field: str
) -> dict[str, Any]:
    folded = strategy == "fold" and place == "before"
    content = fold(message.reasoning, message.text) if folded else message.text
    wired: dict[str, Any] = {"role": "assistant", "content": content}
    reasoning = BLANK if folded else message.reasoning.strip() or BLANK
    if reasoning_field and not (strategy == "plain" and reasoning == BLANK):
        wired[reasoning_field] = reasoning
    if message.calls:
        wired["tool_calls"] = [_call(call) for call in message.calls]
    return wired


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _user_content(message: UserMessage) -> str | list[dict[str, Any]]:
    """Text, or parts where there are images: text first, since Ollama cuts the list in two."""
    images = [part for part in message.parts if isinstance(part, Image)]
    if not images:
        return message.text
    words = [{"type": "text", "text": p.text} for p in message.parts if isinstance(p, Text)]
    return [*words, *(_image(image) for image in images)]


def _image(image: Image) -> dict[str, Any]:
    url = f"data:{image.media_type};base64,{image.data}"
    return {"type": "image_url", "image_url": {"url": url}}
