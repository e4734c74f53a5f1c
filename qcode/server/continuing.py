"""An answer that goes on behind reasoning which is already at its end. Pure.

Each server has its own way of being told (`Quirks.continuation`), read in its source; llama.cpp's
was seen on b11549: the prompt is the first request's, the reasoning and `</think>`, to the byte, so
nothing is read but what is new. The tool-call part of an answer cannot be continued, only this.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from qcode.protocol.events import ReasoningDelta, TextDelta, ToolCallDelta
from qcode.protocol.messages import AssistantMessage, Reasoning
from qcode.server.base import Request, ServerFacts
from qcode.server.families import family_of
from qcode.server.fields import fields
from qcode.server.quirks import QUIRKS, since
from qcode.server.shown import Item
from qcode.server.written import written

_FLAGS: Mapping[str, Mapping[str, Any]] = {
    # With `true` in place of "content" it would go on with the reasoning.
    "llamacpp": {"continue_final_message": "content", "add_generation_prompt": False},
    "vllm": {"continue_final_message": True, "add_generation_prompt": False},
    "sglang": {"continue_final_message": True},  # without it, the message becomes a user's
    "ollama": {},  # a last message of the assistant is left open
}
_TELLING = 40
"""So many equal characters are a repetition and no chance."""


class NotContinued(Exception):
    """The server did not go on behind the reasoning; the text says what it did, as a clause."""


def can(facts: ServerFacts) -> bool:
    """Whether this server, of this version, is known to continue answers of this model."""
    kind = QUIRKS[facts.kind].continuation
    closes = family_of(facts).closes
    fits = kind == "llamacpp" or closes == "marks" or (closes == "field" and kind != "ollama")
    return bool(kind) and fits and since(facts.kind, facts.version, "continue_final_message")


def body(facts: ServerFacts, request: Request) -> dict[str, Any]:
    """The whole body of a request but for `tools` and `stream`."""
    continues = bool(request.closed) and can(facts)
    messages, more = continued(facts, request) if continues else (request.messages, {})
    if not QUIRKS[facts.kind].passes_calls and family_of(facts).xml:
        messages = written(messages, facts.reasoning_field)
    return {
        **fields(facts, request),
        **more,
        "model": request.model or facts.model,
        "messages": messages,
    }


def continued(
    facts: ServerFacts, request: Request
) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, Any]]:
    """The messages, the open answer last, and the fields that leave it open."""
    kind = QUIRKS[facts.kind].continuation
    return [*request.messages, _opened(kind, facts, request.closed)], _FLAGS[kind]


def plainly(request: Request) -> Request:
    """The same question for a server that does not continue: thinking off, so that it answers."""
    return replace(request, closed="", thinking_budget=0)


def whole(message: AssistantMessage, closed: str) -> AssistantMessage:
    """The reasoning and what was generated behind it, as one message."""
    said = tuple(part for part in message.parts if not isinstance(part, Reasoning))
    return AssistantMessage((Reasoning(closed), *said), message.finish)


class Opening:
    """Looks at how a continued answer begins, and holds back what may be a repetition."""

    def __init__(self, closed: str) -> None:
        self._start = closed.strip()[:_TELLING]
        self._text = ""
        self._open = len(self._start) == _TELLING
        self._began = False

    def feed(self, item: Item) -> Sequence[Item]:
        """What can be shown now. Raises NotContinued."""
        if isinstance(item, ReasoningDelta):
            if item.text.strip() and not self._began:
                raise NotContinued("it began to think anew")
            return ()
        if isinstance(item, ToolCallDelta):
            return (*self.rest(), item)
        if not isinstance(item, TextDelta):
            return (item,)
        self._began = self._began or bool(item.text.strip())
        if not self._open:
            return (item,)
        self._text += item.text
        said = self._text.lstrip()
        if said.startswith(self._start):
            raise NotContinued("it said its reasoning once more")
        return () if self._start.startswith(said) else self.rest()

    def rest(self) -> Sequence[Item]:
        """What was held back: it is no repetition, or the answer has ended."""
        held, self._text, self._open = self._text, "", False
        return (TextDelta(held),) if held else ()


def _opened(kind: str, facts: ServerFacts, closed: str) -> dict[str, Any]:
    """The answer as it stands. Never with calls: no server continues those."""
    if kind == "llamacpp":
        return {"role": "assistant", "reasoning_content": closed, "content": ""}
    if kind == "vllm" and family_of(facts).closes == "field":
        return {"role": "assistant", facts.reasoning_field: closed, "content": ""}
    # SGLang sets it behind a prompt that has opened the block already.
    opening = "" if kind == "sglang" else "<think>\n"
    return {"role": "assistant", "content": f"{opening}{closed}\n</think>\n\n"}
