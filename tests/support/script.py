"""What a scripted server says and what it heard: plain data, no network.

Reply(text="Done.", reasoning="Look first.")
Reply(calls=(Call("read", {"path": "a.py"}),))
Reply(text="half of it", end="reset")           # the connection breaks after the text
Reply(status=503, body={"error": {"message": "Loading model"}})
lambda body: Reply(text=f"{len(body['messages'])} messages")
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Body = Mapping[str, Any]
"""The JSON of a request."""

End = Literal["done", "no_done", "close", "reset", "hang"]
"""How a stream ends: `[DONE]`; without it; the connection closed before the finish chunk; the same
by a TCP reset; silence until the client leaves."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call in an answer."""

    name: str
    arguments: str | Mapping[str, Any] = field(default_factory=dict)
    """A mapping is sent as JSON in its own key order; a string goes out as it is, valid or not."""
    id: str = ""
    """Empty = `call_` and a number that no other call of the server has."""

    @property
    def text(self) -> str:
        """The arguments as they go over the wire."""
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts, sent in a last chunk without choices when the request asks for usage."""

    prompt: int
    completion: int
    cached: int | None = None
    """None = the server does not tell."""
    read_seconds: float = 1.0
    """What the engine says that it took for the prompt; Ollama tells it, and the next."""
    write_seconds: float = 2.0
    """The same for the answer."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How the bytes are spread over time and over writes."""

    wait_seconds: float = 0.0
    """Silence before the status line: a server that is busy with others."""
    first_delta_seconds: float = 0.0
    """Silence after the headers: a long prompt."""
    delta_seconds: float = 0.0
    """Between two deltas."""
    characters: int = 0
    """Of reasoning, text and arguments per delta; 0 = each in one."""
    write_bytes: int = 0
    """The event stream is cut into writes of so many bytes, whatever they split; 0 = by event."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer to one request for a chat completion."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    finish: str = ""
    """Empty = `tool_calls` where there are calls, else `stop`."""
    usage: Usage | None = None
    timings: Mapping[str, float] | None = None
    """llama.cpp's block, on the last chunk."""
    progress: tuple[Mapping[str, int], ...] = ()
    """llama.cpp's `prompt_progress`, one chunk each, ahead of the first delta."""
    reasoning_field: str = "reasoning_content"
    end: End = "done"
    pace: Pace = field(default_factory=Pace)
    raw: bytes | None = None
    """Sent as the whole event stream in place of everything above; `end` still holds."""
    status: int = 200
    """Other than 200: `body` is the answer, and nothing is streamed."""
    body: Mapping[str, Any] | str = ""
    """A mapping goes out as JSON, a string as text."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Added to the answer's own, such as `Retry-After`."""


Answer = Reply | Callable[[Body], Reply]
"""A reply, or a function of the request that makes one."""


@dataclass(slots=True)
class Received:
    """One request as it came in, and what became of its answer. Times are `time.monotonic()`."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    raw: bytes
    arrived: float
    """When the head of the request was in."""
    last_byte: float | None = None
    """When the last byte of the answer was handed to the system."""
    closed_early: float | None = None
    """When the client left with the answer unfinished; None = it stayed."""

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object of the request; {} where there is none."""
        return dict(json.loads(self.raw)) if self.raw else {}

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of a chat request."""
        return list(self.body["messages"])
