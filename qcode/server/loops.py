"""Repetition in what a model writes, seen while it streams. Pure and of bounded memory.

Two signs of a loop:

- the tail is one block, again and again, sign for sign;
- in running words, one line keeps coming back and hardly anything else does.

Data repeats honestly: rulers, tables, dumps, zeros, refrains. So a block must hold two different
words to count early; signs and numbers must go on for longer, and code, arguments of calls and a
fenced block for longer still. A late alarm costs some hundred tokens, a false one an answer.
"""

import re
from typing import Literal

import msgspec

from qcode.protocol.text import one_line
from qcode.server.lines import Lines

Kind = Literal["reasoning", "text", "arguments"]

_STEP = 128
"""Looked at after each so many characters, counted from the start: cuts change nothing."""
_KEPT = 16_384
_LONGEST_UNIT = 2_048
_LONG_UNIT = 200
_PROBE = 16
_MOST_CANDIDATES = 48

_SPEECH = r"\b([^\W\d_]{2,})\s(?!\1\b)[^\W\d_]{2,}|([\u2e80-\ud7ff])(?!\2)[\u2e80-\ud7ff]"
"""Two different words side by side; markup, lists of values and single words have none."""
_SENTENCE_END = r"[.!?…][\"')\]*`]*(?=\s)|[\u3002\uff01\uff1f]|\n(?=\s*\n)"
"""Both are compiled when something repeats: no start pays for them."""


class Loop(msgspec.Struct, frozen=True):
    """What a model wrote repeats itself."""

    kind: Kind
    detail: str
    """What is repeated, cut to a line."""
    start: int
    """Where the repetition begins, in characters from the start of this kind's text."""

    def good(self, text: str) -> str:
        """Of `text`, all that this kind had so far: up to the last whole sentence before it."""
        ends = [found.end() for found in re.finditer(_SENTENCE_END, text)]
        before = [end for end in ends if end <= self.start]
        return text[: before[-1]].rstrip() if before else ""


class Watch:
    """Looks at one answer while it comes. A loop is told once; then it must repeat anew."""

    def __init__(self) -> None:
        self._tails: dict[Kind, _Tail] = {}

    def feed(self, kind: Kind, text: str) -> Loop | None:
        """A piece of reasoning, of text, or of the arguments of calls as they are written."""
        tail = self._tails.get(kind)
        if tail is None:
            tail = self._tails[kind] = _Tail(kind)
        return tail.feed(text)


class _Tail:
    """The last characters of one kind of text."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._pieces: list[str] = []
        self._waiting = 0
        self._text = ""
        self._end = 0
        """Of `_text`, in characters from the start."""
        self._lines = None if kind == "arguments" else Lines()

    def feed(self, text: str) -> Loop | None:
        self._pieces.append(text)
        self._waiting += len(text)
        return None if self._waiting < _STEP else self._look()

    def _look(self) -> Loop | None:
        new = "".join(self._pieces)
        whole = len(new) - len(new) % _STEP
        self._pieces, self._waiting = [new[whole:]], len(new) - whole
        found = None
        for at in range(0, whole, _STEP):
            loop = self._add(new[at : at + _STEP])
            found = found or loop
        return found

    def _add(self, block: str) -> Loop | None:
        if len(self._text) >= 2 * _KEPT:
            self._text = self._text[-_KEPT:]
        self._text += block
        self._end += len(block)
        stale = self._lines.add(block) if self._lines else None
        found = self._repeated_block()
        if found is None and stale is not None:
            found = Loop(self._kind, one_line(stale.line), stale.start)
        if found is not None:
            self._text = ""
            self._lines = None if self._kind == "arguments" else Lines(self._end)
        return found

    def _repeated_block(self) -> Loop | None:
        run = _run(self._text)
        if run is None:
            return None
        period, length = run
        unit = self._text[-period:]
        start = self._end - length
        if length < _enough(unit, is_data=self._is_data(unit, start)):
            return None
        return Loop(
            self._kind, one_line(self._text[-length:][:period].strip() or repr(unit)), start
        )

    def _is_data(self, unit: str, start: int) -> bool:
        """Whether the repetition stands within one block of code, or in arguments."""
        if self._lines is None:
            return True
        fence = self._lines.fence
        return fence is not None and fence <= start and "```" not in unit


def _run(text: str) -> tuple[int, int] | None:
    """Period and length of the repetition that `text` ends in, if it is long enough to matter."""
    size = len(text)
    probe = text[-_PROBE:]
    at = size - _PROBE
    for _ in range(_MOST_CANDIDATES):
        at = text.rfind(probe, max(size - _PROBE - _LONGEST_UNIT, 0), at + _PROBE - 1)
        if at < 0:
            return None
        period = size - _PROBE - at
        least = max(6 * period, 400) if period <= _LONG_UNIT else 4 * period
        if least <= size and _repeats(text, period, least):
            return period, _extent(text, period, least)
    return None


def _repeats(text: str, period: int, length: int) -> bool:
    """Whether the last `length` characters have this period."""
    return text[-length:-period] == text[len(text) - length + period :]


def _extent(text: str, period: int, least: int) -> int:
    """Length of the longest tail with this period, by bisection: with a tail all shorter ones
    have it."""
    low, high = least, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _repeats(text, period, middle) else (low, middle - 1)
    return low


def _enough(unit: str, *, is_data: bool) -> int:
    """How many characters of repetition of `unit` are a loop."""
    is_speech = bool(re.search(_SPEECH, unit + unit))
    if is_data:
        return max(3_000, 8 * len(unit)) if is_speech else 8_000
    if is_speech:
        return max(400, (6 if len(unit) <= _LONG_UNIT else 4) * len(unit))
    return 1_200 if len(unit) == 1 else 3_000
