"""An answer in the making, so that a cancelled one is not lost."""

import time

from qcode.protocol.events import ReasoningDelta, Retried, TextDelta
from qcode.protocol.messages import AssistantMessage, Reasoning, Text
from qcode.server.base import Streamed


class Partial:
    """Collects the deltas of one answer. Unfinished calls are left out: they must never run."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._reasoning: list[str] = []
        self._text: list[str] = []

    @property
    def seconds(self) -> float:
        """Since the request was sent."""
        return time.monotonic() - self._began

    def take(self, item: Streamed) -> None:
        """Add one streamed item; a retry voids what came before it."""
        if isinstance(item, TextDelta):
            self._text.append(item.text)
        elif isinstance(item, ReasoningDelta):
            self._reasoning.append(item.text)
        elif isinstance(item, Retried):
            self._reasoning.clear()
            self._text.clear()

    def message(self) -> AssistantMessage | None:
        """The answer so far, or None when there is nothing to keep.

        Trailing blanks go: the templates trim them, and a trimmed prompt is a different prompt.
        """
        reasoning = "".join(self._reasoning).rstrip()
        text = "".join(self._text).rstrip()
        parts: list[Reasoning | Text] = []
        if reasoning:
            parts.append(Reasoning(reasoning))
        if text:
            parts.append(Text(text))
        return AssistantMessage(tuple(parts), "cancelled") if parts else None
