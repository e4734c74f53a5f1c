"""The bytes of one answer -> what is shown while it streams, then the message. No I/O.

However the bytes are cut, the message is the same. The other end is not trusted: line, text,
arguments and number of calls are bounded.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import StringIO
from typing import Any

import msgspec

from qcode.protocol.events import Repaired, Usage
from qcode.protocol.messages import AssistantMessage, Finish, Reasoning, Text, ToolCall
from qcode.server.base import Flaw
from qcode.server.calls import Calls
from qcode.server.chunks import Chunk, Delta, Timings, UsageBlock
from qcode.server.content import Begin, Content
from qcode.server.failures import Cut, Unusable, read_refusal
from qcode.server.forms import EVENTS, Form
from qcode.server.loading import LoadingText
from qcode.server.offered import Offered
from qcode.server.screen import Show
from qcode.server.settle import Came, Thinking, settle
from qcode.server.shown import Item, Shown

__all__ = ["Finished", "Limits", "Reader", "Thinking"]


class Limits(msgspec.Struct, frozen=True):
    """Sizes beyond which an answer is refused."""

    event_bytes: int = 16 << 20
    text_characters: int = 16 << 20
    """Of text, and again of reasoning."""
    text_lines: int = 200_000
    """Of text: each is looked at for calls."""
    calls: int = 128
    argument_characters: int = 8 << 20


class Finished(msgspec.Struct, frozen=True):
    """All that an answer came to."""

    message: AssistantMessage
    usage: Usage
    repairs: tuple[Repaired, ...] = ()
    flaw: Flaw = ""
    separates: bool | None = None
    """Whether reasoning came in a field of its own; None = there was none."""


class Reader:
    """Reads one answer: `feed` bytes as they come, then `finish`."""

    def __init__(
        self,
        thinking: Thinking = "unknown",
        limits: Limits | None = None,
        id_prefix: str = "call_",
        tools: Sequence[Mapping[str, Any]] = (),
        form: Form = EVENTS,
        begin: Begin = "start",
    ) -> None:
        """`tools`: those of the request; calls that leaked into the text are known by them."""
        self._limits = limits or Limits()
        self._thinking = thinking
        self._id_prefix = id_prefix
        self._offered = Offered(tools)
        self._decode = form.decode
        self._events = form.cutter(self._limits.event_bytes)
        self._calls = Calls(self._limits.calls, self._limits.argument_characters)
        self._content = Content(self._offered, begin)
        self._lines = 0
        self._reasoning = StringIO()
        self._loading = LoadingText()
        self._finish_reason = ""
        self._usage: UsageBlock | None = None
        self._timings: Timings | None = None
        self._tokens_so_far: int | None = None
        self.is_done = False
        """`[DONE]` was read: nothing follows."""

    def feed(self, data: bytes) -> list[Item]:
        """What `data` completes. Raises Unusable, and Refusal for an error within the stream."""
        shown = Shown()
        for payload in self._events.feed(data):
            self._payload(payload, shown)
        return shown.done()

    def feed_whole(self, body: bytes) -> list[Item]:
        """The same for an answer that came as one JSON object instead of a stream."""
        shown = Shown()
        self._payload(body, shown)
        return shown.done()

    def finish(self) -> Finished:
        """The message. Raises Cut when the stream ended before the answer did, and Unusable."""
        shown = Shown()
        for payload in self._events.close():
            if self.has_ended:
                break  # what follows is cut
            with suppress(Unusable):  # half an event: the stream was cut in it
                self._payload(payload, shown)
        if not self._finish_reason and not (self.is_done and self._has_content()):
            raise self._unfinished()
        if self._finish_reason in ("abort", "error"):
            raise Cut(f"the server ended its answer with {self._finish_reason!r}")
        return self._finished()

    def salvage(self) -> Finished | None:
        """What was streamed before an error, if it is whole: calls that parse, or text."""
        slots = self._calls.slots
        if slots and not all(slot.name and slot.is_whole for slot in slots):
            return None
        self._finish_reason = "tool_calls" if slots else "stop"
        finished = self._finished()
        message = finished.message
        return finished if message.calls or message.text.strip() or finished.flaw else None

    @property
    def has_ended(self) -> bool:
        """Whether the answer is whole: only figures could follow."""
        return self.is_done or bool(self._finish_reason)

    @property
    def usage(self) -> Usage:
        """The figures so far; a field is None when the server did not say."""
        told, timed = self._usage or UsageBlock(), self._timings or Timings()
        details = told.prompt_tokens_details
        read = None if timed.prompt_n is None else timed.prompt_n + (timed.cache_n or 0)
        cached = details.cached_tokens if details else None
        return Usage(
            prompt_tokens=_first(told.prompt_tokens, read),
            cached_tokens=_first(timed.cache_n, cached),
            generated_tokens=_first(told.completion_tokens, timed.predicted_n),
            prompt_per_second=timed.prompt_per_second,
            generated_per_second=timed.predicted_per_second,
        )

    def _payload(self, payload: bytes, shown: Shown) -> None:
        if payload.strip() == b"[DONE]":
            self.is_done = True
            return
        try:
            self._chunk(self._decode(payload), shown)
        except Unusable:
            if b"\n" not in payload:
                raise
            for line in payload.split(b"\n"):  # events without a blank line between them
                self._payload(line, shown)

    def _chunk(self, chunk: Chunk, shown: Shown) -> None:
        if chunk.error:
            raise read_refusal({"error": chunk.error})
        if chunk.object == "error":
            raise read_refusal({"message": chunk.message})
        self._usage = chunk.usage or self._usage
        self._timings = chunk.timings or self._timings
        self._tokens_so_far = _generated(chunk)
        if chunk.prompt_progress is not None:
            shown.add_progress(chunk.prompt_progress)
        for choice in chunk.choices or ():
            if choice.index:
                continue
            if delta := choice.delta or choice.message:
                self._delta(delta, shown)
            self._finish_reason = choice.finish_reason or self._finish_reason

    def _delta(self, delta: Delta, shown: Shown) -> None:
        if reasoning := delta.reasoning_content or delta.reasoning or delta.thinking:
            self._add_reasoning(reasoning, shown)
        if delta.content:
            self._add_content(delta.content, shown)
        for piece in delta.tool_calls or ():
            if slot := self._calls.add(piece):
                place = self._calls.position(slot)
                shown.add_call(place, slot.name, slot.characters, slot.last)

    def _add_content(self, content: str, shown: Shown) -> None:
        self._lines += content.count("\n")
        if self._lines > self._limits.text_lines:
            raise Unusable(f"the answer exceeds {self._limits.text_lines:,} lines")
        before = None if self._content.size else self._reasoning.getvalue()[-40:]
        self._show(self._content.feed(content, before), shown)
        self._check(self._content.size)
        if self._content.calls > self._limits.calls:
            raise Unusable(f"an answer asks for more than {self._limits.calls} tools at once")

    def _show(self, shows: Sequence[Show], shown: Shown) -> None:
        for show in shows:
            match show.kind:
                case "text":
                    shown.add_text(show.text)
                case "reasoning":
                    shown.add_reasoning(show.text, self._tokens_so_far)
                case "call":
                    position = show.index + len(self._calls.slots)
                    shown.add_call(position, show.text, show.characters, show.added)

    def _add_reasoning(self, text: str, shown: Shown) -> None:
        if not self._loading.is_done:
            said, text = self._loading.feed(text)
            if said:
                shown.add_loading(said)
        if text:
            self._reasoning.write(text)
            shown.add_reasoning(text, self._tokens_so_far)
            self._check(self._reasoning.tell())

    def _check(self, characters: int) -> None:
        if characters > self._limits.text_characters:
            raise Unusable(f"the answer exceeds {self._limits.text_characters:,} characters")

    def _has_content(self) -> bool:
        return bool(self._calls.slots or self._content.size or self._reasoning.tell())

    def _unfinished(self) -> Exception:
        if self._events.stray and not self._has_content():
            start = self._events.stray.decode("utf-8", "replace")
            return Unusable(f"it is no event stream, it begins with {start[:80]!r}")
        return Cut("the stream ended before the answer did")

    def _finished(self) -> Finished:
        if not self._loading.is_done:
            self._reasoning.write(self._loading.finish())
        self._content.finish(is_cut=self._finish_reason == "length")
        settled = settle(self._came())
        parts = (
            *((Reasoning(settled.reasoning),) if settled.reasoning.strip() else ()),
            *((Text(settled.text),) if settled.text.strip() else ()),
            *settled.calls,
        )
        message = AssistantMessage(parts, self._finish(settled.calls))
        return Finished(message, self.usage, settled.repairs, settled.flaw, self._separates())

    def _separates(self) -> bool | None:
        if self._reasoning.tell():
            return True
        return False if self._content.has_reasoning and self._thinking != "off" else None

    def _came(self) -> Came:
        return Came(
            reasoning=self._reasoning.getvalue(),
            head=self._content.reasoning,
            pieces=self._content.pieces,
            calls=self._calls.finished(self._id_prefix),
            nameless=sum(not slot.name for slot in self._calls.slots),
            finish=self._finish_reason,
            thinking=self._thinking,
            offered=self._offered,
            id_prefix=self._id_prefix,
        )

    def _finish(self, calls: Sequence[ToolCall]) -> Finish:
        if self._finish_reason == "length":
            return "length"
        return "tool_calls" if calls or self._finish_reason == "tool_calls" else "stop"


def _generated(chunk: Chunk) -> int | None:
    """Tokens of the answer, in a chunk that counts them though it is not the last one."""
    told = chunk.usage.completion_tokens if chunk.usage else None
    return _first(told, chunk.timings.predicted_n if chunk.timings else None)


def _first(told: int | None, measured: int | None) -> int | None:
    return told if told is not None else measured
