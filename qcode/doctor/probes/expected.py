"""What others measured of a model: `data/rates.toml`."""

import re
import tomllib
from functools import cache
from pathlib import Path

import msgspec

from qcode.server.families import plain_name

_TABLE = Path(__file__).parents[1] / "data" / "rates.toml"


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model on a graphics processor."""

    card: str
    written: float
    """Tokens a second."""
    context: int
    """At which it was measured; 0 = not told."""
    read: float = 0.0
    """Tokens a second; 0 = not told."""


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row."""

    model: str
    growth: float
    """Of the time for a token, over 100,000 tokens of context."""
    source: str
    cards: tuple[Card, ...] = ()

    def slowdown(self, tokens: int) -> float:
        """How many times as long a token takes at this context as at none."""
        return 1.0 + self.growth * tokens / 100_000

    def on(self, name: str) -> Card | None:
        """The slowest row for a card, by the driver's name of it."""
        rows = [row for row in self.cards if re.search(rf"{row.card}\b(?! *Ti)", name)]
        return min(rows, key=lambda row: row.written, default=None)


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    model: tuple[Model, ...]


@cache
def rows() -> tuple[Model, ...]:
    """All of them."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return msgspec.convert(table, type=_Table).model


def of(model: str) -> Model | None:
    """The row of a model; None = nobody's measurements are known."""
    name = plain_name(model)
    return next((row for row in rows() if re.search(row.model, name)), None)
