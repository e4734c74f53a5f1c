"""A conversation as Markdown for people, or as JSON for programs; `page` makes HTML of it.

All hold it as it stands, rewound turns left out, but in full: what a compaction replaced for the
model is still there. Control sequences are taken out, for an export is meant to be shown.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from qcode.protocol.events import AnyEvent, Compacted, Elided
from qcode.protocol.messages import (
    AssistantMessage,
    Message,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from qcode.protocol.text import escaped, one_line, plain
from qcode.session.conversation import Conversation, fold
from qcode.session.envelope import UnknownEvent
from qcode.session.page import as_html
from qcode.session.prompts import spoken
from qcode.session.telling import SPEAKER, end, facts, images, result

FORMAT = 1
"""Of the JSON; fields are only ever added under the same number."""


def uncompacted(events: Iterable[AnyEvent | UnknownEvent]) -> Conversation:
    """The conversation with all its messages, as if it had never been compacted."""
    return fold(event for event in events if not isinstance(event, Compacted | Elided))


def as_json(conversation: Conversation) -> str:
    """One JSON object, indented, newline at its end."""
    whole = {
        "format": FORMAT,
        "session_id": conversation.session_id,
        "parent": conversation.parent,
        "title": conversation.title,
        "name": conversation.name,
        "folder": conversation.folder,
        "model": conversation.model,
        "server": conversation.server,
        "turns": len(conversation.live_turns),
        "generated_tokens": conversation.generated_tokens,
        "edited": list(conversation.edited),
        "system": conversation.system,
        "tools": [tool.name for tool in conversation.tools],
        "messages": conversation.messages,
    }
    clean = _clean(msgspec.to_builtins(whole))
    return escaped(msgspec.json.format(msgspec.json.encode(clean), indent=2).decode()) + "\n"


def as_markdown(conversation: Conversation) -> str:
    """A document: a heading, what the session was, then who said what."""
    head = [f"# {one_line(conversation.title) or 'Session'}", _about(conversation)]
    return "\n\n".join([*head, *map(_section, conversation.messages)]) + "\n"


def _about(conversation: Conversation) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in facts(conversation).items())


def _section(message: Message) -> str:
    match message:
        case UserMessage():
            return _user(message)
        case AssistantMessage():
            return _assistant(message)
        case ToolMessage():
            return f"### {result(message)}\n\n{fenced(message.text)}"


def _user(message: UserMessage) -> str:
    words = [plain(spoken(message)) if message.text else "", images(message)]
    return "\n\n".join([f"## {SPEAKER[message.origin]}", *filter(None, words)])


def _assistant(message: AssistantMessage) -> str:
    blocks = ["## Model"]
    if message.reasoning:
        blocks.append(
            f"<details><summary>Reasoning</summary>\n\n{fenced(message.reasoning)}\n\n</details>"
        )
    if message.text:
        blocks.append(plain(message.text))
    blocks += [_call(call) for call in message.calls]
    return "\n\n".join([*blocks, *filter(None, [end(message)])])


def _call(call: ToolCall) -> str:
    return f"### Call of {one_line(call.name)}\n\n{fenced(call.arguments, 'json')}"


def fenced(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any run of backticks in `text`."""
    shown = plain(text).rstrip("\n")
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


FORMATS: Mapping[str, Callable[[Conversation], str]] = {
    "markdown": as_markdown,
    "html": as_html,
    "json": as_json,
}
"""Name of a format -> what makes it."""

SUFFIXES = {".md": "markdown", ".html": "html", ".htm": "html", ".json": "json"}
"""End of a file's name -> name of the format."""


def exported(events: Iterable[AnyEvent | UnknownEvent], wanted: str) -> str:
    """A session in one of `FORMATS`."""
    return FORMATS[wanted](uncompacted(events))
