"""What the next request takes of the loaded context, and what fills it."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

import msgspec

from qcode.engine.settings import ANSWER_TOKENS, Settings
from qcode.protocol.errors import ContextOverflow
from qcode.protocol.messages import AssistantMessage, Image, Message, UserMessage
from qcode.session.conversation import Conversation

CHARACTERS_PER_TOKEN = 3.3
"""Of code, before any server has counted."""
SUMMARY_TOKENS = 2_000
IMAGE_TOKENS = 1_200
"""Of one picture, roughly; base64 says nothing about it."""
MESSAGE_CHARACTERS = 14
"""What a template puts around a message, some four tokens."""

Expect = Callable[[Conversation], int]
"""Tokens of the prompt that a conversation makes, as well as it can be known."""


class Room(msgspec.Struct):
    """The context of the server that answers, and the conversation that goes into it."""

    talk: Conversation
    settings: Settings
    context_tokens: int | None
    """None = not told; learnt when a server refuses a prompt for its length."""
    expect: Expect
    _ratio: float = CHARACTERS_PER_TOKEN

    def expected(self) -> int:
        """Tokens of the next prompt."""
        tokens = self.expect(self.talk)
        known = self.talk.last_usage
        if tokens and known and known.prompt_tokens:
            self._ratio = min(max(everything(self.talk) / tokens, 1.0), 8.0)
        return tokens

    def needed(self) -> int:
        """Tokens kept for the answer: its thinking and its words, a quarter of all at most."""
        wanted = min(self.settings.max_tokens, self.settings.thinking_budget + ANSWER_TOKENS)
        return wanted if self.context_tokens is None else min(wanted, self.context_tokens // 4)

    def lacks(self) -> int:
        """By how many tokens the next request is too long; 0 = it fits, or nobody knows."""
        if self.context_tokens is None:
            return 0
        return max(0, self.expected() + self.needed() - self.context_tokens)

    def halved(self, before: int) -> int:
        """What a request may take to count as shrunk: half of what it was, or of the context."""
        return max(before, self.context_tokens or 0) // 2

    def learn(self, refused: ContextOverflow) -> None:
        """The server refused the prompt: its context is what it says, or less than was expected."""
        taken = self.expected()
        if not self.lacks():
            told = refused.context_tokens or self.context_tokens or taken
            self.context_tokens = min(told, taken)

    def summary(self) -> int:
        """Tokens that a summary may take."""
        return min(SUMMARY_TOKENS, (self.context_tokens or self.expected()) // 8)

    def tokens(self, characters: int) -> int:
        """An estimate, by what this session's characters came to so far."""
        return round(characters / self._ratio)

    def characters(self, tokens: int) -> int:
        """The other way round."""
        return round(tokens * self._ratio)

    def of(self, messages: Sequence[Message]) -> int:
        """An estimate of the tokens of `messages`."""
        return sum(map(self._of_one, messages))

    def behind(self, messages: Sequence[Message]) -> list[int]:
        """For each place in `messages`, and behind the last, the tokens from there to the end."""
        sums = accumulate(map(self._of_one, reversed(messages)), initial=0)
        return list(sums)[::-1]

    def fixed(self) -> int:
        """An estimate of the system text and the tools."""
        return self.tokens(_head(self.talk))

    def fills(self) -> str:
        """What the context holds, for people: `system text and tools ~3,900 tokens, prompts …`."""
        shares = {"system text and tools": self.fixed(), **self._shares()}
        return ", ".join(f"{name} ~{count:,}" for name, count in shares.items() if count)

    def _shares(self) -> Mapping[str, int]:
        messages = self.talk.messages
        answers = [message for message in messages if isinstance(message, AssistantMessage)]
        prompts = [message for message in messages if isinstance(message, UserMessage)]
        reasoning = self.tokens(sum(len(answer.reasoning) for answer in answers))
        return {
            "prompts": self.of(prompts),
            "tool results": self.of(messages) - self.of(answers) - self.of(prompts),
            "reasoning": reasoning,
            "answers and calls": self.of(answers) - reasoning,
        }

    def _of_one(self, message: Message) -> int:
        return self.tokens(characters(message)) + IMAGE_TOKENS * pictures(message)


def characters(message: Message) -> int:
    """Of one message as a template renders it, images left out."""
    if isinstance(message, AssistantMessage):
        calls = sum(len(call.name) + len(call.arguments) for call in message.calls)
        return len(message.reasoning) + len(message.text) + calls + MESSAGE_CHARACTERS
    return len(message.text) + MESSAGE_CHARACTERS


def roughly(talk: Conversation) -> int:
    """The server's count of the last prompt and answer, and characters for what came since."""
    last = talk.last_usage
    if last is None or not last.prompt_tokens:
        return round(everything(talk) / CHARACTERS_PER_TOKEN)
    at = len(talk.messages) - 1
    while at >= 0 and not _was_counted(talk.messages[at]):
        at -= 1
    new = talk.messages[at + 1 :] if last.generated_tokens is not None else talk.messages[at:]
    length = sum(map(characters, new))
    return last.prompt_tokens + (last.generated_tokens or 0) + round(length / CHARACTERS_PER_TOKEN)


def _was_counted(message: Message) -> bool:
    """A server tells what an answer cost when it is at its end, not before."""
    return isinstance(message, AssistantMessage) and message.finish not in ("cancelled", "closed")


def everything(talk: Conversation) -> int:
    """Characters of the whole prompt, images left out."""
    return _head(talk) + sum(map(characters, talk.messages))


def _head(talk: Conversation) -> int:
    specs = (len(tool.name + tool.description + tool.parameters) for tool in talk.tools)
    return len(talk.system) + sum(specs)


def pictures(message: Message) -> int:
    """How many it holds."""
    if not isinstance(message, UserMessage):
        return 0
    return sum(isinstance(part, Image) for part in message.parts)
