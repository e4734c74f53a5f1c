"""What the model is sent and what it answers: messages made of typed parts.

Server formats stay out: `engine.history` turns these into requests, `server.reader` makes them.
"""

from typing import Literal

import msgspec


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Words, as they were written."""

    text: str


class Reasoning(msgspec.Struct, frozen=True, tag="reasoning"):
    """The model's thinking, without `<think>` marks."""

    text: str


class Image(msgspec.Struct, frozen=True, tag="image"):
    """A picture, inline."""

    media_type: str
    data: str
    """Base64, never re-encoded: it is part of the prefix that the server keeps."""


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call"):
    """A request by the model to run a tool."""

    id: str
    name: str
    arguments: str
    """JSON text with the key order that the model wrote; always a valid JSON object once stored."""


class ToolSpec(msgspec.Struct, frozen=True):
    """A tool as the model sees it. Frozen for the session: it heads every prompt."""

    name: str
    description: str
    parameters: str
    """JSON Schema of the arguments, as text, so that its bytes never change."""


Origin = Literal["prompt", "steer", "verify", "nudge", "summary"]
"""Who speaks in a user message: the person (`prompt`, `steer`), or qcode itself (the rest)."""

Finish = Literal["stop", "tool_calls", "length", "cancelled", "closed"]
"""Why an answer ended. `length` also means that the context was full; `closed` = qcode ended its
reasoning (budget, loop, a person's word), and the answer proper is the next message."""

UNSAID = "…"
"""The text of an answer that ended in its thinking: qcode put it there (`engine.partial`)."""

CallStatus = Literal["ok", "error", "denied", "cancelled"]


class UserMessage(msgspec.Struct, frozen=True, tag="user"):
    """What the person says, or qcode on their behalf."""

    parts: tuple[Text | Image, ...]
    origin: Origin = "prompt"

    @property
    def text(self) -> str:
        """All words of the message, images left out."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


class AssistantMessage(msgspec.Struct, frozen=True, tag="assistant"):
    """One answer of the model, whole: at most one Reasoning, at most one Text, then the calls."""

    parts: tuple[Reasoning | Text | ToolCall, ...]
    finish: Finish = "stop"

    @property
    def reasoning(self) -> str:
        """The thinking, or an empty string."""
        return "".join(part.text for part in self.parts if isinstance(part, Reasoning))

    @property
    def text(self) -> str:
        """The words for the person, or an empty string."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, in the model's order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


class ToolMessage(msgspec.Struct, frozen=True, tag="tool"):
    """What goes back to the model for one call. Cut when it is made, never edited afterwards."""

    call_id: str
    name: str
    text: str
    status: CallStatus = "ok"


Message = UserMessage | AssistantMessage | ToolMessage


def user(text: str, origin: Origin = "prompt") -> UserMessage:
    """A user message of one text part."""
    return UserMessage((Text(text),), origin)
