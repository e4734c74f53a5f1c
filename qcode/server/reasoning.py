"""`<think>` text at the head of an answer -> reasoning, for servers that do not separate it.

Qwen's templates open the block in the prompt, so a model's answer may hold only `</think>`, or
both marks. Marks further on are for `textcalls`, which knows what is code there.
"""

from typing import Literal

OPEN, CLOSE = "<think>", "</think>"

Kind = Literal["reasoning", "text"]
State = Literal["start", "opened", "reasoning", "after", "text"]
"""`opened`: the prompt has opened the block, though the answer may begin with the mark itself."""


class Splitter:
    """Tells reasoning from text while it streams; holds back only what may become a mark."""

    def __init__(self, state: State = "start") -> None:
        self._state: str = state
        self._held = ""
        self._begun = False
        self._has_closed = False

    @property
    def is_done(self) -> bool:
        """All that comes from here on is text."""
        return self._state == "text"

    @property
    def is_closed(self) -> bool:
        """A block was opened and closed."""
        return self._has_closed

    def feed(self, piece: str) -> list[tuple[Kind, str]]:
        """What `piece` and the text held back before it turn out to be."""
        if self._state == "text":
            return [("text", piece)]
        self._held += piece
        out: list[tuple[Kind, str]] = []
        if self._state in ("start", "opened"):
            self._start()
        if self._state == "reasoning":
            self._reasoning(out)
        if self._state == "after":
            self._after()
        return [*out, *self.finish()] if self._state == "text" else out

    def finish(self) -> list[tuple[Kind, str]]:
        """What was held back, now that nothing follows it."""
        held, self._held = self._held, ""
        kind: Kind = "reasoning" if self._state in ("opened", "reasoning") else "text"
        return [(kind, held)] if held else []

    def _start(self) -> None:
        text = self._held.lstrip()
        if text.startswith(OPEN):
            self._state, self._held = "reasoning", text[len(OPEN) :]
        elif not OPEN.startswith(text):
            self._state = "text" if self._state == "start" else "reasoning"

    def _reasoning(self, out: list[tuple[Kind, str]]) -> None:
        if not self._begun:
            self._held = self._held.lstrip("\n")
        before, mark, after = self._held.partition(CLOSE)
        if mark:
            self._state, self._held = "after", after
            self._has_closed = True
            before = before.rstrip("\n")
        else:
            before, self._held = _split_tail(before)
        if before:
            self._begun = True
            out.append(("reasoning", before))

    def _after(self) -> None:
        """The blank lines between the mark and the text are the template's, not the model's."""
        self._held = self._held.lstrip("\n")
        if self._held:
            self._state = "text"


def without_marks(reasoning: str) -> str:
    """The reasoning of its own field, without the marks that a server's parser left around it."""
    kept = reasoning
    if kept.lstrip().startswith(OPEN):
        kept = kept.lstrip().removeprefix(OPEN).lstrip("\n")
    while kept.rstrip().endswith((OPEN, CLOSE)):
        kept = kept.rstrip().removesuffix(OPEN).removesuffix(CLOSE).rstrip()
    return kept


def joined(*parts: str) -> str:
    """Parts of the reasoning, those with words, under each other."""
    worded = [part for part in parts if part.strip()]
    return worded[0] if len(worded) == 1 else "\n\n".join(part.strip("\n") for part in worded)


def _split_tail(text: str) -> tuple[str, str]:
    """`text` without its end, and the end that may be the start of line ends and `</think>`."""
    for size in range(min(len(CLOSE) - 1, len(text)), 0, -1):
        if CLOSE.startswith(text[-size:]):
            kept = text[:-size].rstrip("\n")
            return kept, text[len(kept) :]
    kept = text.rstrip("\n")
    return kept, text[len(kept) :]
