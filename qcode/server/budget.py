"""A thinking budget on servers that have none: reasoning is counted while it streams.

What the server tells in its chunks is believed. Else tokens are estimated by the looks of the text
and, near the end of the budget, counted by the shipped table; both are corrected by what the server
said of earlier answers. No I/O but the reading of the table, in a thread.
"""

import msgspec

from qcode.server import tokens

NATIVE_SLACK = 1.05
NATIVE_SLACK_TOKENS = 16
"""A server that keeps the budget itself may overrun it by so much before we step in."""

_FIRST_RATE = 3.0
_FIRST_BLOCK, _EARLY = 64, 2_048
"""The first characters are looked at more often: nothing tells yet how many a token has."""
_BLOCK_CHARACTERS = 256
_AT_ONCE_CHARACTERS = 16_384
"""Counted by the table in one go, 4 ms, when it is there and the text so far is to be recounted."""
_NEAR = 0.7
_NEAR_TOKENS = 300
"""The table is read from this share of the limit on, or from so far before it."""
_MOST_TOKENS = 4
"""A character is not more: emoji are 2 to 3."""
_FEWEST = 100
"""Answers shorter than this teach nothing: marks and tags weigh too much in them."""


class Calibration(msgspec.Struct):
    """What one model's tokens are to our counts of them. Kept from answer to answer."""

    rough: float = 1.0
    table: float = 1.0

    def calibrate(self, counted: float, told: int, *, by_table: bool = False) -> None:
        """An answer that we counted was `told` tokens in truth."""
        if told < _FEWEST or counted <= 0:
            return
        ratio = min(max(told / counted, 0.2), 6.0)  # bytes or syllables
        if by_table:
            self.table = ratio if self.table == 1.0 else (self.table + ratio) / 2
        else:
            self.rough = ratio if self.rough == 1.0 else (self.rough + ratio) / 2

    def learn(self, written: str, told: int | None) -> None:
        """All that the model wrote in one answer, and what `usage.completion_tokens` said of it."""
        if told is None or told < _FEWEST:
            return
        self.calibrate(tokens.about(written), told)
        if tokens.is_ready():
            self.calibrate(tokens.count(written), told, by_table=True)


class ReasoningCount:
    """Tokens of one answer's reasoning, up to now. `feed` each piece, then look at `tokens`."""

    def __init__(self, near: int | None = None, calibration: Calibration | None = None) -> None:
        """`near`: from so many tokens on the exact table is worth its 56 MB; None = never."""
        self._near = near
        self._calibration = calibration or Calibration()
        self._kept: list[str] = []
        self._new: list[str] = []
        self._new_size = 0
        self._pieces = 0
        self._told = 0
        self._characters = 0
        self._rough = 0.0
        self._exact, self._exact_characters = 0, 0

    def feed(self, text: str, told: int | None = None, pieces: int = 1) -> None:
        """A piece, as in `ReasoningDelta`: `told` = tokens generated so far, by the server."""
        self._pieces += pieces
        if told:
            self._told = told
        self._new.append(text)
        self._new_size += len(text)
        if self._new_size >= (_BLOCK_CHARACTERS if self._characters > _EARLY else _FIRST_BLOCK):
            self._settle()

    @property
    def tokens(self) -> int:
        """The best number there is; a fragment of the stream is a token at least."""
        if self._is_told():
            return max(self._told, self._pieces)
        return max(round(self._estimate()), self._pieces)

    def _estimate(self) -> float:
        rest = self._characters - self._exact_characters
        if self._exact_characters and not rest:
            rate = self._exact_characters / max(self._exact, 1)
            return self._calibration.table * (self._exact + self._new_size / rate)
        rate = self._characters / self._rough if self._rough else _FIRST_RATE
        return self._calibration.rough * (self._rough + self._new_size / rate)

    def _settle(self) -> None:
        """Count what has come, up to the last place where a token ends for certain; where there
        is none (Chinese, numbers) all of it, which is a token off at most."""
        text = "".join(self._new)
        at = _last_seam(text) or len(text)
        whole, rest = text[:at], text[at:]
        self._new, self._new_size = [rest] if rest else [], len(rest)
        self._characters += len(whole)
        self._rough += tokens.about(whole)
        if self._near is not None:
            self._kept.append(whole)
            if not self._is_told():
                self._recount(self._near)

    def _is_told(self) -> bool:
        """Whether the server's count can be one: some repeat 0 or 1 in each chunk."""
        return self._told > 0 and self._characters + self._new_size <= 12 * self._told + 400

    def _recount(self, near: int) -> None:
        if not tokens.is_ready():
            if self._estimate() >= near:
                tokens.prepare()
            return
        size = 0
        while self._kept and size < _AT_ONCE_CHARACTERS:
            piece = self._kept.pop(0)
            size += len(piece)
            self._exact += tokens.count(piece)
            self._exact_characters += len(piece)


class Budget:
    """So many tokens of reasoning and no more."""

    def __init__(
        self, limit: int, *, native: bool = False, calibration: Calibration | None = None
    ) -> None:
        """`native`: the server was sent the limit, and we only back it up."""
        self.limit = limit
        self.stop_at = round(limit * NATIVE_SLACK) + NATIVE_SLACK_TOKENS if native else limit
        near = limit if native else round(min(_NEAR * limit, limit - _NEAR_TOKENS))
        self.count = ReasoningCount(max(near, 0), calibration)
        self._far = 0
        """So many characters cannot reach the limit."""

    def feed(self, text: str, told: int | None = None, pieces: int = 1) -> bool:
        """Count a piece; whether the budget is used up."""
        self.count.feed(text, told, pieces)
        self._far -= len(text)
        if self._far > 0 and not told:
            return False
        left = self.stop_at - self.count.tokens
        self._far = left // _MOST_TOKENS
        return left <= 0

    @property
    def tokens(self) -> int:
        """Used so far."""
        return self.count.tokens


def _last_seam(text: str) -> int:
    """Where the last blank between two words stands: no token reaches over it. 0 = nowhere."""
    at = text.rfind(" ")
    while at > 0 and not (text[at - 1].isalnum() and text[at + 1 : at + 2].isalpha()):
        at = text.rfind(" ", 0, at)
    return max(at, 0)
