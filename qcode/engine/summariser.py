"""Asks the model for a summary of the conversation, behind the conversation as it stands.

The request begins with all that the server has read and generated, so only the question is new to
it. What the model answers is shown to nobody and runs nothing.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

import msgspec
from msgspec.structs import replace

from qcode.engine.accounting import Accounting
from qcode.engine.history import History, Tweak
from qcode.engine.limits import Spent
from qcode.engine.room import Room
from qcode.engine.say import Say
from qcode.engine.summary import known, question, without_model
from qcode.protocol.errors import ContextOverflow
from qcode.protocol.events import Notice, PromptProgress, Retried, ServerState
from qcode.protocol.messages import Message
from qcode.server.base import Answer, Request, Streamed
from qcode.server.shape import wire_messages

TRIES = 2
"""So often the model is asked; then a summary is made without it."""
THOUGHT_TOKENS = 4_000
"""An answer may take so much more, for models whose thinking cannot be turned off."""
LEAST_TOKENS = 256


class Answers(Protocol):
    """The part of a server that a summary needs."""

    def stream(self, request: Request) -> AsyncGenerator[Streamed, None]:
        """See `server.base.Server.stream`."""
        ...


class Summariser(msgspec.Struct, frozen=True):
    """The model, asked for a summary."""

    history: History
    server: Answers
    room: Room
    accounting: Accounting
    say: Say

    def fits(self) -> bool:
        """Whether there is room left for the question and its answer."""
        context, length = self.room.context_tokens, self.room.summary()
        return context is None or self._tokens(self._asking("", 1)) + length <= context

    async def words(self, focus: str, spent: Spent, left: int | None) -> str:
        """A summary; where the model gives none, what can be said without it.

        `left`: tokens that may be generated, None = any number. What is used goes to `spent`.
        """
        for attempt in range(1, TRIES + 1):
            try:
                answer = await self._answer(self._asking(focus, attempt), left)
            except ContextOverflow:
                break
            spent.add(answer.usage)
            text = answer.message.text.strip()
            if text and not answer.message.calls and not answer.flaw:
                return text[: self.room.characters(self.room.summary())]
        return without_model(self.history.conversation.messages)

    def _asking(self, focus: str, attempt: int) -> list[Message]:
        messages = self.history.conversation.messages
        return [*known(messages), question(self.room.summary(), focus, attempt)]

    async def _answer(self, messages: Sequence[Message], left: int | None) -> Answer:
        async with aclosing(self.server.stream(self._request(messages, left))) as items:
            async for item in items:
                if isinstance(item, Answer):
                    epoch = self.history.conversation.epoch
                    self.say(self.accounting.account(item.usage, epoch))
                    return item
                if isinstance(item, ServerState | PromptProgress | Retried | Notice):
                    self.say(item)
        raise AssertionError("a stream ends with an Answer or an error")

    def _request(self, messages: Sequence[Message], left: int | None) -> Request:
        """The next request with other messages and thinking off; the rest is the same bytes."""
        facts, talk = self.history.facts, self.history.conversation
        wired = wire_messages(talk.system, messages, facts.strategy, facts.reasoning_field)
        most = self.room.summary() + THOUGHT_TOKENS
        if self.room.context_tokens is not None:
            most = min(most, self.room.context_tokens - self._tokens(messages))
        most = max(LEAST_TOKENS, most if left is None else min(most, left))
        asked = self.history.request(left, Tweak(thinking_budget=0))
        return replace(asked, messages=wired, max_tokens=most)

    def _tokens(self, messages: Sequence[Message]) -> int:
        """Of the conversation as the server knows it, and the question."""
        return self.room.expected() - self.room.of(self.room.talk.messages) + self.room.of(messages)
