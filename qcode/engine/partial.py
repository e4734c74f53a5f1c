"""An answer in the making, so that one that is cancelled or stopped is not lost."""

import time

from qcode.protocol.events import ReasoningDelta, Retried, TextDelta, ToolCallDelta
from qcode.protocol.messages import UNSAID, AssistantMessage, Reasoning, Text
from qcode.server.base import Streamed


def worded(message: AssistantMessage) -> AssistantMessage:
    """An answer that is only reasoning with a mark for the words that did not come.

    Without any, templates trim the end of its reasoning away once another question follows, and
    all that was read behind it is read again; some servers refuse an answer without words.
    """
    if message.text or message.calls or not message.reasoning:
        return message
    return AssistantMessage((*message.parts, Text(UNSAID)), message.finish)


class Partial:
    """Collects the deltas of one answer. Unfinished calls are left out: they must never run."""

    def __init__(self, closed: str = "") -> None:
        """`closed`: reasoning that the answer has had already, as in `Request.closed`."""
        self._began = time.monotonic()
        self._closed = closed
        self._reasoning: list[str] = [closed]
        self._text: list[str] = []
        self.acts = False
        """It is past its reasoning: words or a call have begun."""

    @property
    def seconds(self) -> float:
        """Since the request was sent."""
        return time.monotonic() - self._began

    @property
    def reasoning(self) -> str:
        """As it came."""
        return "".join(self._reasoning)

    @property
    def text(self) -> str:
        """As it came."""
        return "".join(self._text)

    def take(self, item: Streamed) -> None:
        """Add one streamed item; a retry voids what came before it."""
        if isinstance(item, TextDelta):
            self._text.append(item.text)
            self.acts = self.acts or bool(item.text.strip())
        elif isinstance(item, ReasoningDelta):
            self._reasoning.append(item.text)
        elif isinstance(item, ToolCallDelta):
            self.acts = True
        elif isinstance(item, Retried):
            self._reasoning = [self._closed]
            self._text.clear()
            self.acts = False

    def message(self) -> AssistantMessage | None:
        """The answer so far, or None when there is nothing to keep.

        Trailing blanks go: the templates trim them, and a trimmed prompt is a different prompt.
        """
        reasoning, text = self.reasoning.rstrip(), self.text.rstrip()
        parts: list[Reasoning | Text] = []
        if reasoning:
            parts.append(Reasoning(reasoning))
        if text:
            parts.append(Text(text))
        return worded(AssistantMessage(tuple(parts), "cancelled")) if parts else None
