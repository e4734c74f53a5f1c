"""What one read of the stream shows: deltas, neighbours of one kind joined."""

from qcode.protocol.events import (
    PromptProgress,
    ReasoningDelta,
    ServerState,
    TextDelta,
    ToolCallDelta,
)
from qcode.server.chunks import Progress

Item = TextDelta | ReasoningDelta | ToolCallDelta | PromptProgress | ServerState


class Shown:
    """Items in order; neighbours of one kind become one, which delays nothing."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._kind: type[TextDelta] | type[ReasoningDelta] | None = None
        self._pieces: list[str] = []
        self._tokens: int | None = None

    def add_text(self, text: str) -> None:
        if self._kind is not TextDelta:
            self._flush(TextDelta)
        self._pieces.append(text)

    def add_reasoning(self, text: str, tokens_so_far: int | None = None) -> None:
        if self._kind is not ReasoningDelta:
            self._flush(ReasoningDelta)
        self._pieces.append(text)
        self._tokens = tokens_so_far

    def add_call(self, index: int, name: str, characters: int, added: str = "") -> None:
        self._flush(None)
        last = self._items[-1] if self._items else None
        if isinstance(last, ToolCallDelta) and last.index == index:
            self._items.pop()
            added = last.added + added
        self._items.append(ToolCallDelta(index, name, characters, added))

    def add_progress(self, progress: Progress) -> None:
        self._flush(None)
        self._items.append(
            PromptProgress(
                progress.total, progress.cache, progress.processed, progress.time_ms / 1000
            )
        )

    def add_loading(self, detail: str) -> None:
        self._flush(None)
        self._items.append(ServerState("loading", detail))

    def done(self) -> list[Item]:
        self._flush(None)
        return self._items

    def _flush(self, kind: type[TextDelta] | type[ReasoningDelta] | None) -> None:
        text = "".join(self._pieces)
        if text and self._kind is ReasoningDelta:
            self._items.append(ReasoningDelta(text, self._tokens, len(self._pieces)))
        elif text:
            self._items.append(TextDelta(text))
        self._kind, self._pieces = kind, []
