"""One line of the table, and the table."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """Something measured and, mostly, what it must reach."""

    what: str
    value: float
    unit: str
    under: float | None = None
    """The value must be below."""
    most: int | None = None
    """The value may be so high. Neither = told for information."""
    digits: int = 2
    skipped: str = ""
    """Why it was not measured; empty = it was."""

    @property
    def verdict(self) -> str:
        """`ok`, `MISSED`, `skipped`, or empty where nothing must be reached."""
        if self.skipped:
            return "skipped"
        if self.under is None and self.most is None:
            return ""
        below = self.under is None or self.value < self.under
        within = self.most is None or self.value <= self.most
        return "ok" if below and within else "MISSED"

    @property
    def row(self) -> tuple[str, str, str, str]:
        """The cells of its line."""
        value = self.skipped or self._said(self.value)
        return self.what, value, self._must(), self.verdict

    def _must(self) -> str:
        if self.under is not None:
            return f"under {self._said(self.under)}"
        return "" if self.most is None else f"at most {self._said(self.most)}"

    def _said(self, value: float) -> str:
        number = f"{value:,.{self.digits}f}"
        whole = number.rstrip("0").rstrip(".") if "." in number else number
        return f"{whole} {self.unit}".rstrip()


def counted(what: str, value: int, unit: str, most: int | None = None) -> Figure:
    """A whole number that may be `most`."""
    return Figure(what, value, unit, most=most, digits=0)


def skipped(what: str, why: str) -> Figure:
    """Something that cannot be measured here."""
    return Figure(what, 0.0, "", skipped=why)


def table(figures: Sequence[Figure]) -> str:
    """The figures under each other."""
    rows = [("what", "figure", "must reach", ""), *(figure.row for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(" |")
        for row in rows
    )
