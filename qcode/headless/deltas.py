"""Deltas -> the stream events of Anthropic's API, which `--include-partial-messages` passes on."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from qcode.protocol.events import AnyEvent, ReasoningDelta, TextDelta, ToolCallDelta

Streamed = dict[str, Any]


class Deltas(msgspec.Struct):
    """One answer as it comes: blocks are opened, filled and closed, one at a time."""

    message_id: str = ""
    """Empty = nothing has come."""
    _open: str = ""
    """Kind of the block that is open, a call with its id; empty = none is."""
    _index: int = -1

    def take(self, event: AnyEvent, model: str, make_id: Callable[[], str]) -> Iterator[Streamed]:
        """What a delta leaves as."""
        match event:
            case ReasoningDelta(text):
                yield from self._begun(model, make_id)
                yield from self._in("thinking", {"type": "thinking", "thinking": ""})
                yield self._piece({"type": "thinking_delta", "thinking": text})
            case TextDelta(text):
                yield from self._begun(model, make_id)
                yield from self._in("text", {"type": "text", "text": ""})
                yield self._piece({"type": "text_delta", "text": text})
            case ToolCallDelta():
                yield from self._begun(model, make_id)

    def end(
        self, stop: str | None, usage: dict[str, Any], calls: Sequence[Streamed]
    ) -> Iterator[Streamed]:
        """The answer is whole; nothing where no delta came. A call is one piece: its arguments
        have Claude's names only when all of them are there."""
        if not self.message_id:
            return
        for call in calls:
            yield from self._in(f"call {call['id']}", {**call, "type": "tool_use", "input": {}})
            text = msgspec.json.encode(call["input"]).decode()
            yield self._piece({"type": "input_json_delta", "partial_json": text})
        yield from self._closed()
        delta = {"stop_reason": stop, "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": usage}
        yield {"type": "message_stop"}

    def _begun(self, model: str, make_id: Callable[[], str]) -> Iterator[Streamed]:
        if self.message_id:
            return
        self.message_id = make_id()
        yield {
            "type": "message_start",
            "message": {
                "id": self.message_id,
                "type": "message",
                "role": "assistant",
                "model": model,
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {"input_tokens": 0, "output_tokens": 0},
            },
        }

    def _in(self, kind: str, block: Streamed) -> Iterator[Streamed]:
        """The block of that kind is open then."""
        if self._open == kind:
            return
        yield from self._closed()
        self._open = kind
        self._index += 1
        yield {"type": "content_block_start", "index": self._index, "content_block": block}

    def _piece(self, delta: Streamed) -> Streamed:
        return {"type": "content_block_delta", "index": self._index, "delta": delta}

    def _closed(self) -> Iterator[Streamed]:
        if self._open:
            yield {"type": "content_block_stop", "index": self._index}
        self._open = ""
