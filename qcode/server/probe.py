"""Which strategy renders history as it was generated: found by rendering, never by guessing.

A made-up conversation is rendered step by step. Each prompt must begin with the prompt before it
and what the model wrote in answer to that, with thinking on and with thinking off.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from qcode.protocol.messages import (
    AssistantMessage,
    Message,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
    user,
)
from qcode.server.base import Strategy
from qcode.server.shape import template_kwargs, wire_messages

Render = Callable[[Sequence[Mapping[str, Any]], Mapping[str, bool]], Awaitable[str]]
"""(messages, chat_template_kwargs) -> the prompt, up to where the model goes on."""

TOOL = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Look at a file.",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}},
            "required": ["path"],
        },
    },
}
"""To be offered while rendering: some templates show calls only where there are tools."""

_ASKED = user("What is in the first file?")
_CALLED = AssistantMessage(
    (
        Reasoning("The first file is called a.txt."),
        Text("I look at it."),
        ToolCall("call00001", "look", '{"path": "a.txt"}'),
    ),
    "tool_calls",
)
_SEEN = ToolMessage("call00001", "look", "1: an empty page")
_TOLD = AssistantMessage((Reasoning("There is nothing in it."), Text("An empty page.")))
_MORE = user("And in the second?")
_SHORT = AssistantMessage((Text("I cannot tell."),))
_LAST = user("Never mind.")


class Prompts(msgspec.Struct, frozen=True):
    """The conversation as it grows, rendered."""

    asked: str
    asked_off: str
    """The same with thinking off."""
    called: str
    more_off: str
    """Thinking off: the next answer has no reasoning."""
    last: str


async def choose(render: Render, reasoning_field: str) -> tuple[Strategy, str]:
    """The first strategy that holds, and why, for people. Raises what `render` raises."""
    strategies: tuple[Strategy, ...] = ("native", "fold")
    for strategy in strategies:
        prompts = await _render_all(render, strategy, reasoning_field)
        if _ignores_reasoning(prompts):
            return "plain", "the template shows no reasoning"
        if holds(prompts):
            return strategy, "seen by rendering"
    return "plain", "no other renders as generated"


def holds(prompts: Prompts) -> bool:
    """Whether each prompt begins with the one before and its answer."""
    first = prompts.called.startswith(prompts.asked + _generated(prompts.asked, _CALLED))
    second = prompts.more_off.startswith(prompts.called + _generated(prompts.asked, _TOLD))
    knows_off = prompts.asked != prompts.asked_off
    third = prompts.last.startswith(prompts.more_off + _SHORT.text)
    return first and second and (third or not knows_off)


def _generated(prompt: str, message: AssistantMessage) -> str:
    """What the model wrote after a prompt that does, or does not, open the reasoning."""
    opened = prompt.rstrip().endswith("<think>")
    mark = "" if opened else "<think>\n"
    return f"{mark}{message.reasoning}\n</think>\n\n{message.text}"


def _ignores_reasoning(prompts: Prompts) -> bool:
    opened = prompts.asked.rstrip().endswith("<think>")
    return not opened and _CALLED.reasoning not in prompts.called


async def _render_all(render: Render, strategy: Strategy, reasoning_field: str) -> Prompts:
    on, off = template_kwargs(strategy, "on"), template_kwargs(strategy, "off")

    def prompt(kwargs: Mapping[str, bool], *messages: Message) -> Awaitable[str]:
        return render(wire_messages("", messages, strategy, reasoning_field), kwargs)

    turn = (_ASKED, _CALLED, _SEEN)
    return Prompts(
        *await asyncio.gather(
            prompt(on, _ASKED),
            prompt(off, _ASKED),
            prompt(on, *turn),
            prompt(off, *turn, _TOLD, _MORE),
            prompt(on, *turn, _TOLD, _MORE, _SHORT, _LAST),
        )
    )
