"""Where an answer is Markdown code: there, tags are quoted and mean nothing."""

import re

_FENCE = re.compile(r"[ \t>]*(?:[-*+]|\d+[.)])?[ \t]*(?P<mark>`{3,}|~{3,})(?P<info>[^\n]*)")
_TICKS = re.compile(r"`+")


class Prose:
    """Follows fences from line to line, and code spans within a paragraph."""

    def __init__(self) -> None:
        self._fence = ""
        self._span = 0  # backticks that opened the span; 0 = none is open

    @property
    def in_fence(self) -> bool:
        """Whether the next line stands in a block of code."""
        return bool(self._fence)

    def takes(self, line: str) -> bool:
        """Whether the whole line is code: within a fence, or a fence itself."""
        match = _FENCE.match(line) if "```" in line or "~~~" in line else None
        if self._fence:
            if match and match["mark"].startswith(self._fence) and not match["info"].strip():
                self._fence = ""
            return True
        if match and "`" not in match["info"]:
            self._fence, self._span = match["mark"], 0
            return True
        if not line.strip():
            self._span = 0  # a span ends with its paragraph
        return False

    def passes(self, text: str) -> bool:
        """Go past `text`, a part of a line; whether a code span is open behind it."""
        if "`" in text:
            for ticks in _TICKS.findall(text):
                if not self._span:
                    self._span = len(ticks)
                elif self._span == len(ticks):
                    self._span = 0
        return bool(self._span)
