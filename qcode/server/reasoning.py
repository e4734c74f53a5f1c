"""`<think>` text within an answer -> reasoning, for servers that do not separate it.

Qwen's templates open the block in the prompt, so a model's answer may hold only `</think>`, or
both marks. Only the two plain cases are read here: a block that heads the answer, and a closing
mark without an opening one. Marks in the middle of a sentence or in code are text.
"""

import re
from typing import Literal

OPEN, CLOSE = "<think>", "</think>"

Kind = Literal["reasoning", "text"]

_LONE_CLOSE = re.compile(r"(?:(?<=\n)|\A)</think>|</think>(?=[ \t]*(?:\n|\Z))")


class Splitter:
    """Tells reasoning from text while it streams; holds back only what may become a mark."""

    def __init__(self) -> None:
        self._state: str = "start"  # then "reasoning" and "after", if there is a mark; then "text"
        self._held = ""
        self._begun = False

    def feed(self, piece: str) -> list[tuple[Kind, str]]:
        """What `piece` and the text held back before it turn out to be."""
        if self._state == "text":
            return [("text", piece)]
        self._held += piece
        out: list[tuple[Kind, str]] = []
        if self._state == "start":
            self._start()
        if self._state == "reasoning":
            self._reasoning(out)
        if self._state == "after":
            self._after()
        return [*out, *self.finish()] if self._state == "text" else out

    def finish(self) -> list[tuple[Kind, str]]:
        """What was held back, now that nothing follows it."""
        held, self._held = self._held, ""
        kind: Kind = "reasoning" if self._state == "reasoning" else "text"
        return [(kind, held)] if held else []

    def _start(self) -> None:
        text = self._held.lstrip()
        if text.startswith(OPEN):
            self._state, self._held = "reasoning", text[len(OPEN) :]
        elif not OPEN.startswith(text):
            self._state = "text"

    def _reasoning(self, out: list[tuple[Kind, str]]) -> None:
        if not self._begun:
            self._held = self._held.lstrip("\n")
        before, mark, after = self._held.partition(CLOSE)
        if mark:
            self._state, self._held = "after", after
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


def split_lone_close(text: str) -> tuple[str, str]:
    """(reasoning, text) of an answer with a closing mark only; ("", text) when there is none."""
    for found in _LONE_CLOSE.finditer(text):
        before = text[: found.start()]
        if before.count("```") % 2 == 0:  # not within a block of code
            return before.strip("\n"), text[found.end() :].lstrip("\n")
    return "", text


def _split_tail(text: str) -> tuple[str, str]:
    """`text` without its end, and the end that may be the start of line ends and `</think>`."""
    for size in range(min(len(CLOSE) - 1, len(text)), 0, -1):
        if CLOSE.startswith(text[-size:]):
            kept = text[:-size].rstrip("\n")
            return kept, text[len(kept) :]
    kept = text.rstrip("\n")
    return kept, text[len(kept) :]
