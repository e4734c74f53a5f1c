"""Two turns as the server prints them for the model."""

import msgspec

from qcode.doctor.base import Subject
from qcode.protocol.messages import (
    AssistantMessage,
    Message,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
    user,
)
from qcode.server.adapters.rendering import ByTemplate, ByTokens
from qcode.server.endpoint import root
from qcode.server.probe import TOOL, Render
from qcode.server.shape import wire_messages

SYSTEM = "You are examined."
_THOUGHT = "The blue file is meant."
_SAID = "I look into the blue one."
_RESULT = "An empty page, as it seems."
_TALK: tuple[Message, ...] = (
    user("Which file is it?"),
    AssistantMessage(
        (Reasoning(_THOUGHT), Text(_SAID), ToolCall("call00001", "look", '{"path": "blue.txt"}')),
        "tool_calls",
    ),
    ToolMessage("call00001", "look", _RESULT),
)
_LATER: tuple[Message, ...] = (
    AssistantMessage((Reasoning("That is all."), Text("It is empty."))),
    user("And the red one?"),
)


class Printed(msgspec.Struct, frozen=True):
    """What the model reads."""

    working: str
    """Behind the result of a call, in its own turn."""
    asked: str
    """Behind a second question."""

    @property
    def shows_tools(self) -> bool:
        """Whether it is told what it may call."""
        about = TOOL["function"]
        assert isinstance(about, dict)
        return str(about["description"]) in self.working

    @property
    def shows_call(self) -> bool:
        """Whether its own call is there."""
        return "blue.txt" in self.working

    @property
    def shows_result(self) -> bool:
        """Whether what came of it is there."""
        return _RESULT in self.working

    @property
    def shows_reasoning(self) -> bool:
        """Whether what it thought in the same turn is there."""
        return _THOUGHT in self.working

    @property
    def thinks(self) -> bool:
        """Whether the template knows reasoning: it opens one, or shows an earlier one."""
        return self.working.rstrip().endswith("<think>") or self.shows_reasoning

    @property
    def unclosed(self) -> bool:
        """Whether a reasoning of the past is left open: all that follows would be its own."""
        past = self.asked[: max(self.asked.rfind("And the red one?"), 0)]
        return past.count("<think>") > past.count("</think>")


def printer(subject: Subject) -> Render | None:
    """Who renders there; None = nobody."""
    facts, asker = subject.facts, subject.asker
    at = root(facts.base_url)
    match facts.kind:
        case "llamacpp" | "llamacpp-router":
            return ByTemplate(asker, f"{at}/apply-template", facts.model).render
        case "vllm" | "nim":
            return ByTokens(asker, at, facts.model, {}, "prompt").render
        case "sglang":
            return ByTokens(asker, at, facts.model, {"skip_special_tokens": False}, "text").render
    return None


async def printed(render: Render, reasoning_field: str) -> Printed:
    """Both. Raises NoAnswer.

    With reasoning in its field, as it was sent first: whether it is dropped is the question.
    """
    kwargs = {"enable_thinking": True}
    whole = (*_TALK, *_LATER)
    working = await render(wire_messages(SYSTEM, _TALK, "plain", reasoning_field), kwargs)
    asked = await render(wire_messages(SYSTEM, whole, "plain", reasoning_field), kwargs)
    return Printed(working, asked)
