"""A block of code while it is written: rows are coloured as they come, never all of them again.

Only the last rows go through the lexer, which goes on where it was. A long comment it may take for
code for a moment: once the block is closed it is drawn whole.
"""

import re

from qcode.tui.drawing.code import TAB_CELLS, barred
from qcode.tui.drawing.highlight import START, Row, Stack, resume
from qcode.tui.drawing.margin import indented
from qcode.tui.drawing.visible import visible
from qcode.tui.lines import Line

WINDOW_ROWS = 12
"""Whole rows above that the lexer sees again: enough for most strings and comments."""
_OPENING = re.compile(r"( {0,3})(`{3,}|~{3,})([^\n]*)\n")


class OpenFence:
    """From its first row to the row that closes it."""

    def __init__(self, opening: re.Match[str], width: int) -> None:
        self._indent = len(opening[1])
        self._closing = re.compile(
            rf" {{0,3}}{re.escape(opening[2][0])}{{{len(opening[2])},}}[ \t]*"
        )
        self._language = opening[3].strip()
        self._width = width
        self._rows: list[str] = []
        """The last whole ones, as many as the window has."""
        self._stacks = [START]
        """What the lexer remembered before each of them, and behind the last."""
        self._lines: list[Line] = []
        """Of all whole rows."""

    def closes(self, row: str) -> bool:
        """Whether the block ends with this row."""
        return self._closing.fullmatch(row) is not None

    def grow(self, rows: list[str]) -> None:
        """Take whole rows, without their line ends."""
        rows = [self._code(row) for row in rows]
        many = max(len(rows) - WINDOW_ROWS, 0)
        if many > WINDOW_ROWS:
            self._add(rows[:many])
            self._rows, self._stacks = [], self._stacks[-1:]
            rows = rows[many:]
        for row in rows:
            self._add([row])
            del self._rows[:-WINDOW_ROWS], self._stacks[: -WINDOW_ROWS - 1]

    def _add(self, rows: list[str]) -> None:
        self._rows += rows
        coloured, stack = self._coloured(self._rows)
        self._lines += indented(barred(coloured[-len(rows) :], self._width))
        self._stacks.append(stack)

    def lines(self, partial: str) -> list[Line]:
        """All of it, and the row that is not whole yet."""
        if not partial or self.closes(partial):
            return self._lines
        coloured, _ = self._coloured([*self._rows, self._code(partial)])
        return [*self._lines, *indented(barred(coloured[-1:], self._width))]

    def _coloured(self, rows: list[str]) -> tuple[list[Row], Stack]:
        """The rows, and what the lexer remembers behind them."""
        made, stack = resume("\n".join(rows) + "\n", self._language, self._stacks[0])
        return made[: len(rows)], stack

    def _code(self, row: str) -> str:
        blanks = len(row) - len(row.lstrip(" "))
        return visible(row[min(blanks, self._indent) :]).expandtabs(TAB_CELLS)


def opening(text: str) -> re.Match[str] | None:
    """The first row of `text`, when a block of code begins with it."""
    found = _OPENING.match(text)
    return None if found is None or (found[2][0] == "`" and "`" in found[3]) else found
