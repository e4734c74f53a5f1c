"""How a block is to be looked at."""

import msgspec

TEXT_CELLS = 100
"""Prose is no wider than this, however wide the terminal is; code, diffs and cards are."""


class View(msgspec.Struct, frozen=True):
    """What a drawing depends on besides its block."""

    width: int
    """Cells; from 20 on nothing is wider than this."""
    opened: bool = False
    """Reasoning with its text, a card with all of its body."""
    now: float = 0.0
    """Clock of the front end, seconds: for what still runs."""

    @property
    def text(self) -> int:
        """Cells for prose, its margins among them."""
        return min(self.width, TEXT_CELLS)
