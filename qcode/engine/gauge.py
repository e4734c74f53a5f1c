"""How long the next prompt is, by what the server counted so far; and whether it cut the last one.

Some servers take the oldest messages away when a prompt does not fit, and answer as if nothing had
happened (Ollama with its small default context). An answer to half a conversation must not be
acted upon: it is void, and said so.
"""

from collections.abc import Sequence

from qcode.engine.history import History
from qcode.engine.room import IMAGE_TOKENS, everything, pictures, roughly
from qcode.protocol.errors import SilentlyTruncated
from qcode.protocol.events import Usage
from qcode.protocol.messages import AssistantMessage, Message
from qcode.server.counting import Meter, Weigh, tells_all, truncated
from qcode.server.shape import last_query
from qcode.server.tokens import about
from qcode.session.conversation import Conversation

EXPLAINED = 0.7
"""Of what a prompt must be, this much at least is there when nothing was cut."""


class Gauge:
    """Follows one session. `expect` before a request, `take` after its answer."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._meter = Meter()
        self._known = 0
        """How many messages the server has counted: those of the last request, and its answer."""
        self._epoch = 0
        self._pinned: tuple[int, int, int] | None = None
        """Epoch, messages, and the tokens that the server counted for a prompt of these."""

    def start_over(self) -> None:
        """Another server, or other messages: nothing was counted yet."""
        self._meter.forget()
        self._known = 0
        self._pinned = None
        self._epoch = self.history.conversation.epoch

    def expect(self, talk: Conversation) -> int:
        """Tokens of the next prompt."""
        if talk.epoch != self._epoch:
            self.start_over()
        if self._pinned and self._pinned[:2] == (talk.epoch, len(talk.messages)):
            return self._pinned[2]
        if not self._meter.is_calibrated and talk.last_usage:  # a session that goes on
            return roughly(talk)
        new = talk.messages[self._known :]
        text = "\n".join(map(_text, new))
        if not self._known:
            text = "\n".join([talk.system, *(tool.parameters for tool in talk.tools), text])
            text += "\n".join(tool.description for tool in talk.tools)
        seen = IMAGE_TOKENS * sum(map(pictures, new))
        return self._meter.estimate(text, messages=len(new) or 1, seen=seen) - self._dropped(talk)

    @property
    def uncounted(self) -> int:
        """Tokens of the prompt last expected that no server has counted yet: they are estimated."""
        return self._meter.new_tokens

    def pin(self, tokens: int) -> None:
        """The server itself has counted the next prompt."""
        talk = self.history.conversation
        self._pinned = (talk.epoch, len(talk.messages), tokens)

    def measure_by(self, weigh: Weigh) -> None:
        """From here on what is new is estimated by this measure."""
        self._meter.change(weigh)

    def take(self, usage: Usage) -> None:
        """An answer came, and is not in the conversation yet. Raises SilentlyTruncated."""
        talk, facts = self.history.conversation, self.history.facts
        expected, length = self.expect(talk), everything(talk)
        if tells_all(facts.kind, facts.version):
            short = self._meter.falls_short(usage) and not self._is_explained(usage, expected)
            if short or truncated(length, usage.prompt_tokens, facts.context_tokens):
                raise _cut(usage.prompt_tokens or 0, max(expected, length // 5))
        self._meter.take(usage, length)
        if usage.prompt_tokens:
            self._known = len(talk.messages) + 1

    def _dropped(self, talk: Conversation) -> int:
        """Reasoning that the template leaves out from the next prompt on, since a new question
        stands behind it."""
        query = last_query(talk.messages)
        if self.history.facts.strategy != "plain" or query < self._known:
            return 0
        before = last_query(talk.messages[:query])
        return _reasoning(talk.messages[max(0, before) : query])

    def _is_explained(self, usage: Usage, expected: int) -> bool:
        """Whether a prompt is short because a template or a server left old reasoning out."""
        if self.history.facts.strategy != "plain":
            return False
        least = expected - _reasoning(self.history.conversation.messages)
        return (usage.prompt_tokens or 0) >= EXPLAINED * least


def _cut(told: int, expected: int) -> SilentlyTruncated:
    return SilentlyTruncated(
        f"The server read {told:,} tokens of a prompt of ~{expected:,} and said nothing: it has "
        "cut the conversation to its context, so its answer is void and nothing of it was done. "
        "Load the model with a larger context (LM Studio: context length when loading), or set "
        "server.context_tokens: of Ollama qcode then asks for so much, of others it must be what "
        "they have."
    )


def _text(message: Message) -> str:
    if not isinstance(message, AssistantMessage):
        return message.text
    calls = (f"{call.name} {call.arguments}" for call in message.calls)
    return "\n".join([message.reasoning, message.text, *calls])


def _reasoning(messages: Sequence[Message]) -> int:
    return round(sum(about(m.reasoning) for m in messages if isinstance(m, AssistantMessage)))
