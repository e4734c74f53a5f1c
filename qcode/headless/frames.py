"""Events -> the objects of `--output-format stream-json`, in the schema of Claude Code.

A pure fold: no clock, no output. What that schema does not know stands under one key, `qcode`, or
in a `system` object whose subtype begins with `qcode_`; clients skip what they do not know.
"""

import itertools
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from qcode import __version__
from qcode.headless import names
from qcode.headless.deltas import Deltas
from qcode.headless.opening import NO_SERVERS, Opening, Shape
from qcode.permission.modes import PRESETS, TABLE, Mode
from qcode.protocol.events import (
    AnyEvent,
    BudgetReached,
    Compacted,
    Connected,
    Elided,
    LoopSeen,
    MessageCompleted,
    ModeChanged,
    ModelChanged,
    Notice,
    PromptProgress,
    ReasoningDelta,
    Repaired,
    Retried,
    ServerState,
    SessionStarted,
    Steered,
    StepStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallFinished,
    TurnStarted,
    Usage,
    Verified,
)
from qcode.protocol.messages import UNSAID, AssistantMessage, Image, ToolCall, UserMessage
from qcode.session.prompts import facts_ahead

Frame = dict[str, Any]

STOPS = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens"}
"""Our `Finish` -> Claude's word; any other is null."""

TOLD: dict[type, str] = {
    BudgetReached: "qcode_budget",
    Connected: "qcode_connected",
    LoopSeen: "qcode_loop",
    ModelChanged: "qcode_model",
    Notice: "qcode_notice",
    Repaired: "qcode_repair",
    Retried: "qcode_retry",
    ServerState: "qcode_server",
    Verified: "qcode_verify",
}
"""Events that leave as they are, by the subtype that tells them."""


def new_id() -> str:
    """For the `uuid` that each object has."""
    return str(uuid.uuid4())


class Frames(msgspec.Struct):
    """The objects of a run, in their order."""

    opening: Opening
    shape: Shape = msgspec.field(default_factory=Shape)
    make_id: Callable[[], str] = new_id
    model: str = ""
    first_model: str = ""
    """The one that was found; empty = none was, yet."""
    asks: Literal["ask", "deny"] = "ask"
    """`deny` = `dontAsk`: the host is not asked."""
    _usage: Usage | None = None
    _deltas: Deltas = msgspec.field(default_factory=Deltas)
    _numbers: "itertools.count[int]" = msgspec.field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.model = self.opening.model

    def init(self) -> Frame:
        """The first object."""
        told = {
            "cwd": self.opening.folder,
            "model": self.model,
            "tools": [names.tool(name) for name in self.opening.tools],
            "mcp_servers": [{"name": one, "status": "failed"} for one in self.opening.servers],
            "permissionMode": self.opening.mode,
            "slash_commands": [],
            "agents": [],
            "apiKeySource": "none",
            "output_style": "default",
            "qcode": {"version": __version__},
        }
        return self.system("init", told)

    def warnings(self) -> Iterator[Frame]:
        """Behind the first object: who reads these lines does not always see stderr."""
        if self.opening.unheeded:
            yield self.warning(self.opening.unheeded)
        if self.opening.servers:
            names_ = ", ".join(self.opening.servers)
            yield self.warning(f"{NO_SERVERS} The model is not offered the tools of: {names_}.")

    def warning(self, text: str) -> Frame:
        """What the host should know."""
        return self.system("qcode_notice", {"qcode": {"level": "warning", "text": text}})

    def system(self, subtype: str, told: Frame) -> Frame:
        """A `system` object."""
        return self._framed("system", {"subtype": subtype, **told})

    def take(self, event: AnyEvent) -> Iterator[Frame]:
        """What `event` leaves as; mostly nothing, or one object."""
        if subtype := TOLD.get(type(event)):
            yield self.system(subtype, {"qcode": _fields(event)})
        match event:
            case SessionStarted(server=server, model=model, context_tokens=context):
                self.model = model
                self.first_model = self.first_model or model
                facts = {"server": server, "model": model, "context_tokens": context}
                yield self.system("qcode_server", {"qcode": facts})
            case ModelChanged(model=model):
                self.model = model
            case ModeChanged(mode):
                word = mode_word(PRESETS[mode].mode, self.asks, self.opening.sandbox)
                yield self.system("status", {"status": None, "permissionMode": word})
            case StepStarted() | Retried():
                self._deltas = Deltas()
            case TurnStarted(_, message) | Steered(message) if self._is_replayed(message):
                yield self._framed("user", self._said(message) | {"isReplay": True})
            case Usage():
                self._usage = event
            case MessageCompleted(message):
                yield from self._answer(message)
            case ToolCallFinished():
                yield self._framed("user", self._result(event))
            case Compacted() | Elided():
                yield self._boundary(event)
            case TextDelta() | ReasoningDelta() | ToolCallDelta() | PromptProgress():
                yield from self._partial(event)

    def result(self, found: Frame) -> Frame:
        """The last object of a turn, around what `headless.json` makes."""
        return found | {"uuid": self.make_id()}

    def _is_replayed(self, message: UserMessage) -> bool:
        """The host's own words, not those that qcode adds on its own."""
        return self.shape.replay == "shown" and message.origin in ("prompt", "steer")

    def _framed(self, kind: str, told: Frame) -> Frame:
        ids = {"session_id": self.opening.session_id, "uuid": self.make_id()}
        return {"type": kind, **told, **ids}

    def _partial(self, event: AnyEvent) -> Iterator[Frame]:
        if self.shape.partial != "shown":
            return
        if isinstance(event, PromptProgress):
            yield self.system("qcode_progress", {"qcode": _fields(event)})
        for one in self._deltas.take(event, self.model, self._number):
            yield self._streamed(one)

    def _streamed(self, event: Frame) -> Frame:
        return self._framed("stream_event", {"event": event, "parent_tool_use_id": None})

    def _number(self) -> str:
        return f"msg_{next(self._numbers)}"

    def _answer(self, message: AssistantMessage) -> Iterator[Frame]:
        usage = usage_of(self._usage)
        stop = STOPS.get(message.finish)
        calls = [{"id": call.id, **self.called(call)} for call in message.calls]
        for one in self._deltas.end(stop, usage, calls):
            yield self._streamed(one)
        content = list(self._content(message))
        if content:
            body = {
                "id": self._deltas.message_id or self._number(),
                "type": "message",
                "role": "assistant",
                "model": self.model,
                "content": content,
                "stop_reason": stop,
                "stop_sequence": None,
                "usage": usage,
            }
            told = {"message": body, "parent_tool_use_id": None}
            yield self._framed("assistant", told | {"qcode": _own(self._usage)})
        self._usage, self._deltas = None, Deltas()

    def _content(self, message: AssistantMessage) -> Iterator[Frame]:
        if message.reasoning:
            # clients read a signature; there is none to be checked
            yield {"type": "thinking", "thinking": message.reasoning, "signature": ""}
        if message.text and message.text != UNSAID:
            yield {"type": "text", "text": message.text}
        for call in message.calls:
            yield {"type": "tool_use", "id": call.id, **self.called(call)}

    def called(self, call: ToolCall) -> Frame:
        """Name and input of a call, as Claude's."""
        arguments = msgspec.json.decode(call.arguments)
        name, given = names.outward(call.name, arguments, self.opening.folder)
        return {"name": name, "input": given}

    def _result(self, event: ToolCallFinished) -> Frame:
        message = event.message
        block = {
            "type": "tool_result",
            "tool_use_id": message.call_id,
            "content": message.text,
            "is_error": message.status != "ok",
        }
        own = {"status": message.status, "seconds": event.seconds, "edited": list(event.edited)}
        body = {"role": "user", "content": [block]}
        return {"message": body, "parent_tool_use_id": None, "qcode": own}

    def _said(self, message: UserMessage) -> Frame:
        ahead = len(facts_ahead(message))
        pictures = [_picture(part) for part in message.parts if isinstance(part, Image)]
        content = [{"type": "text", "text": message.text[ahead:]}, *pictures]
        return {"message": {"role": "user", "content": content}, "parent_tool_use_id": None}

    def _boundary(self, event: Compacted | Elided) -> Frame:
        own = {
            "kind": "summary" if isinstance(event, Compacted) else "elision",
            "tokens_before": event.tokens_before,
            "tokens_after": event.tokens_after,
        }
        metadata = {"trigger": "auto", "pre_tokens": event.tokens_before}
        return self.system("compact_boundary", {"compact_metadata": metadata, "qcode": own})


def mode_word(mode: Mode, asks: Literal["ask", "deny"], sandbox: Literal["on", "off"]) -> str:
    """Claude's."""
    if mode == "ask" and asks == "deny":
        return "dontAsk"
    if mode == "auto" and sandbox == "off":
        return "bypassPermissions"
    return TABLE[mode].claude


def usage_of(usage: Usage | None) -> Frame:
    """In Claude's words: what was read is divided into new and cached."""
    read = (usage.prompt_tokens or 0) if usage else 0
    cached = (usage.cached_tokens or 0) if usage else 0
    return {
        "input_tokens": max(0, read - cached),
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": (usage.generated_tokens or 0) if usage else 0,
    }


def _own(usage: Usage | None) -> Frame:
    return _fields(usage) if usage else {}


def _picture(image: Image) -> Frame:
    source = {"type": "base64", "media_type": image.media_type, "data": image.data}
    return {"type": "image", "source": source}


def _fields(event: msgspec.Struct) -> Frame:
    found: Frame = msgspec.to_builtins(event)
    found.pop("type", None)
    return found
