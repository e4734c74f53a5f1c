"""Lines and sentences that keep coming back in running words, not sign for sign in a row.

A line counts where hardly anything new stands between: a refrain has its verses, a header its file.
A line of code, of a table or of a log is never the one: `loops` looks at them for exact
repetition alone.
"""

import re
from collections import Counter, deque

import msgspec

_LINE = 20
_TIMES = 8
_WINDOW = 4_000
_LEAST = 600
_LONGEST_LINE = 500
_STALE = 0.85
"""Share of the window that must be lines which stand in it several times."""
_SEVERAL = 4

_NUMBER = re.compile(r"(?<![\w./-])\d+(?![\w/-]|\.\w)")
"""One that stands alone: `part_7.py` after `part_6.py` is news."""
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|(?<=[\u3002\uff01\uff1f])|\n")
_LIKE_CODE = re.compile(r"(?:\s{4}|\t)(?!\s*(?:[*-]|\d+\.)\s)|\s*(?:[|+<>{}\[\]#@;=%$`]|//|--)| \*")
"""How lines of code, tables, headers and logs begin, where they stand outside a fence."""


class _Line(msgspec.Struct, frozen=True):
    start: int
    text: str
    shape: str
    """The line, in prose with its numbers left out: `Attempt 17` is no news after `Attempt 16`."""
    weight: int


class Stale(msgspec.Struct, frozen=True):
    """A line that keeps coming back, and little else with it."""

    line: str
    start: int
    """Where it came first, in characters from the start."""


class Lines:
    """Lines and sentences of the last `_WINDOW` characters of prose."""

    def __init__(self, start: int = 0) -> None:
        self._at = start
        self._open = ""
        self.fence: int | None = None
        """Where the block of code begins that the text is in."""
        self._lines: deque[_Line] = deque()
        self._texts: Counter[str] = Counter()
        self._shapes: Counter[str] = Counter()
        self._weight = 0

    def add(self, block: str) -> Stale | None:
        """The next characters; a line that has come back too often."""
        *lines, self._open = (self._open + block).split("\n")
        found = None
        for line in lines:
            found = self._line(line) or found
            self._at += len(line) + 1
        if len(self._open) > _LONGEST_LINE:
            found = self._paragraph() or found
        return found

    def _paragraph(self) -> Stale | None:
        """Of a line without an end: its sentences so far, or all of it where there are none."""
        last = max(self._open.rfind(mark) for mark in (". ", "! ", "? ", "\u3002"))
        cut = last + 1 if last >= 0 else len(self._open)
        found = self._line(self._open[:cut])
        self._at += cut
        self._open = self._open[cut:]
        return found

    def _line(self, line: str) -> Stale | None:
        if line.lstrip()[:3] in ("```", "~~~"):
            self.fence = self._at if self.fence is None else None
        elif self.fence is not None or _LIKE_CODE.match(line):
            self._count(line.strip(), line.strip(), self._at)
        else:
            return self._prose(line)
        return None

    def _prose(self, line: str) -> Stale | None:
        found, at = None, self._at
        for sentence in _SENTENCE.split(line) if len(line) > 2 * _LINE else (line,):
            words = sentence.strip()
            self._count(words, _NUMBER.sub("0", words), at)
            times = self._texts[words]
            if len(words) >= _LINE and times >= _TIMES and times % _SEVERAL == 0:
                found = self._stale(words) or found
            at += len(sentence) + 1
        return found

    def _count(self, line: str, shape: str, at: int) -> None:
        if not line:
            return
        self._lines.append(_Line(at, line, shape, len(line) + 1))
        self._texts[line] += 1
        self._shapes[shape] += 1
        self._weight += len(line) + 1
        while self._weight > _WINDOW:
            self._forget(self._lines.popleft())

    def _forget(self, line: _Line) -> None:
        self._weight -= line.weight
        for counter, key in ((self._texts, line.text), (self._shapes, line.shape)):
            counter[key] -= 1
            if not counter[key]:
                del counter[key]

    def _stale(self, line: str) -> Stale | None:
        """Unless there is enough news beside it, since the line came first."""
        first = next(one.start for one in self._lines if one.text == line)
        since = [one for one in self._lines if one.start >= first]
        whole = sum(one.weight for one in since)
        old = sum(one.weight for one in since if self._shapes[one.shape] >= _SEVERAL)
        if whole < _LEAST or old < _STALE * whole:
            return None
        return Stale(line, first)
