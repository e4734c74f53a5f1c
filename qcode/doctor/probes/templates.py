"""Templates that are known to be wrong, by their text: `data/templates.toml`."""

import hashlib
import tomllib
from functools import cache
from pathlib import Path

import msgspec

from qcode.doctor.base import Finding, Weight

_TABLE = Path(__file__).parents[1] / "data" / "templates.toml"


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row."""

    id: str
    weight: Weight
    title: str
    cost: str
    change: str
    source: str
    digest: str = ""
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    def fits(self, source: str) -> bool:
        """Whether this is the template."""
        if self.digest and self.digest == digest(source):
            return True
        shown = bool(self.has) and all(words in source for words in self.has)
        return shown and not any(words in source for words in self.lacks)


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    template: tuple[Known, ...]


def digest(source: str) -> str:
    """What a row knows a template by: blanks at line ends come and go with copying."""
    lines = (line.rstrip() for line in source.strip().splitlines())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@cache
def rows() -> tuple[Known, ...]:
    """All of them."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return msgspec.convert(table, type=_Table).template


def known_faults(source: str) -> tuple[Finding, ...]:
    """What is known of a template with this text; none of one that is not told."""
    return tuple(_finding(row, source) for row in rows() if source and row.fits(source))


def _finding(row: Known, source: str) -> Finding:
    return Finding(
        id=row.id,
        weight=row.weight,
        title=row.title,
        cost=row.cost,
        change=row.change,
        evidence={"digest": digest(source)[:16], "characters": len(source)},
        source=row.source,
    )
