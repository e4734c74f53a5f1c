"""The conversation that is measured with: one turn with a long tool result, then questions.

Its shape is that of an agent's work. What a template does to an earlier turn shows in tokens that
can be counted only if that turn is long.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

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
from qcode.server.base import Request, Strategy
from qcode.server.probe import TOOL
from qcode.server.shape import wire_messages
from qcode.server.sounding import Sounding, filler

_SYSTEM_SHARE = 0.3
"""Of a conversation, what stands in front of the first question; the rest is the tool result."""
_DENSITY = "talk.density"
_SAMPLE_TOKENS = 200


class Talk(msgspec.Struct, frozen=True):
    """A conversation so far. Each step makes a new one."""

    system: str
    messages: tuple[Message, ...]

    def ask(self, words: str) -> "Talk":
        """One question more."""
        return self.add(user(words))

    def add(self, *messages: Message) -> "Talk":
        """These behind it."""
        return replace(self, messages=(*self.messages, *messages))

    def answered(self, sounding: Sounding) -> "Talk":
        """The answer behind it, as it was generated; a call gets a result."""
        results = [ToolMessage(call.id, call.name, "no such file") for call in sounding.calls]
        return self.add(answer_of(sounding), *results)

    def worked_on(self, sounding: Sounding) -> "Talk":
        """The answer with a call behind it, and what came of the call: a step within the turn."""
        if sounding.calls:
            return self.answered(sounding)
        call = ToolCall("call00002", "look", '{"path": "b.py"}')
        said = answer_of(sounding)
        called = AssistantMessage((*said.parts, call), "tool_calls")
        return self.add(called, ToolMessage(call.id, call.name, "VALUE = 1"))

    def request(
        self, subject: Subject, max_tokens: int, strategy: Strategy | None = None
    ) -> Request:
        """As the agent would send it, thinking off: how fast a model thinks is not the question."""
        facts = subject.facts
        shaped = strategy or facts.strategy
        sent = wire_messages(self.system, self.messages, shaped, facts.reasoning_field)
        tools = (TOOL,) if _has_calls(self.messages) else ()
        return Request(
            facts.model,
            sent,
            tools,
            thinking_budget=0,
            max_tokens=max_tokens,
            strategy=shaped,
        )


def plain(salt: str, words: str, filler_tokens: int = 0) -> Talk:
    """One question behind so much text."""
    return Talk(_system(salt, filler_tokens), (user(words),))


def worked(salt: str, tokens: int) -> Talk:
    """A turn of about so many tokens in which a file was looked at, before its answer."""
    before = round(tokens * _SYSTEM_SHARE)
    called = AssistantMessage(
        (
            Reasoning("The file will tell."),
            Text("I look."),
            ToolCall("call00001", "look", '{"path": "a.py"}'),
        ),
        "tool_calls",
    )
    seen = ToolMessage("call00001", "look", filler(tokens - before, f"{salt} file").strip())
    talk = Talk(_system(salt, before), (user("What is in a.py? Answer in one short sentence."),))
    return talk.add(called, seen)


async def density(subject: Subject) -> float:
    """Tokens that the server's vocabulary makes of one that `filler` counts."""
    known = subject.notes.get(_DENSITY)
    if not isinstance(known, float):
        counted = await subject.server.count(filler(_SAMPLE_TOKENS, "sample"))
        if not counted:
            return 1.0
        known = subject.notes[_DENSITY] = counted / _SAMPLE_TOKENS
    return known


def learn_density(subject: Subject, size: int, sounding: Sounding) -> None:
    """By a prompt that was counted behind its answer, for servers that count nothing before."""
    if size >= _SAMPLE_TOKENS and sounding.prompt_tokens:
        subject.notes[_DENSITY] = sounding.prompt_tokens / size


def answer_of(sounding: Sounding) -> AssistantMessage:
    """What was generated, as a message."""
    parts: list[Reasoning | Text | ToolCall] = []
    if sounding.reasoning:
        parts.append(Reasoning(sounding.reasoning))
    if sounding.text:
        parts.append(Text(sounding.text))
    parts.extend(sounding.calls)
    return AssistantMessage(tuple(parts) or (Text("Yes."),))


def _system(salt: str, filler_tokens: int) -> str:
    head = f"Examination {salt}. You are an assistant for programmers."
    return f"{head}\n\n{filler(filler_tokens, salt)}" if filler_tokens else head


def _has_calls(messages: Sequence[Message]) -> bool:
    return any(isinstance(message, ToolMessage) for message in messages)
