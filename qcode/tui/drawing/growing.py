"""An answer that streams: what is finished is parsed once, and never looked at again.

A block of the top, or an item of a list of the top, is finished as soon as another one has begun
with a whole row; a block of code, with the row that closes it.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qcode.protocol.text import plain
from qcode.tui.drawing.fence import OpenFence, opening
from qcode.tui.drawing.margin import indented
from qcode.tui.drawing.markdown import Above, Page, begins, draw_nodes, parse
from qcode.tui.drawing.view import TEXT_CELLS
from qcode.tui.drawing.visible import safe
from qcode.tui.drawing.wrap import wrap_text
from qcode.tui.lines import Line

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode as Node

MOST_OPEN = 16_000
"""Characters of one open block that is no code. A longer one is shown as it is written until it
ends, which is looked up ever more seldom."""
MOST_TABLE = 3_000
"""Characters of an open table that is drawn anew for each row: its columns depend on all of them.
A longer one is once it has grown by an eighth; till then its last rows stand as they came."""
_INDENT_CELLS = 3
_BLANK_ROWS = re.compile(r"(?:[ \t]*\n)+")
_PROBE = "·"


class Growing:
    """Lines of a text that only grows, at one width."""

    def __init__(self) -> None:
        self.parses = 0
        """Finished blocks that were parsed; each counts once more for another width."""
        self._begin(0)

    def _begin(self, width: int) -> None:
        self.width = width
        self.text = ""
        """As far as it came."""
        self._raw = ""
        """The end of it that may still mean something else: a row, a control sequence."""
        self._tail = ""
        """Whole rows that belong to no finished block."""
        self._tried = 0
        """Length of the tail up to which there was nothing finished in it."""
        self._fence: OpenFence | None = None
        """With it, `_tail` is a block of code."""
        self._lines: list[Line] = []
        self._last: tuple[str, list[Line]] = ("", [])
        """What was open when it was last drawn."""
        self._table: tuple[str, list[Line]] = ("", [])
        """The same of a long table."""
        self._above: Above = "text"

    @property
    def settled(self) -> int:
        """So many lines at the top stay: the same objects every time."""
        return len(self._lines)

    def lines(self, text: str, width: int) -> tuple[Line, ...]:
        """All lines for now. Begins anew when `text` does not go on from the last one, and for
        another width."""
        self._take(text, width)
        partial = safe(self._raw)
        if self._fence is not None:
            return (*self._lines, *self._fence.lines(partial))
        # half a row of a table would move the columns of all: it waits until it is whole
        rest = self._tail if self._in_table(partial) else self._tail + partial
        if self._last[0] != rest:
            self._last = (rest, self._open(rest))
        return (*self._lines, *self._last[1])

    def whole(self, text: str, width: int) -> tuple[Line, ...]:
        """All lines of a text that is at its end. One that did not stream is drawn in one go."""
        self.parses += 1
        if not self.text or width != self.width or not text.startswith(self.text):
            self._begin(width)
            return tuple(self._drawn(safe(text)))
        self._take(text, width)
        return (*self._lines, *self._drawn(self._tail + safe(self._raw)))

    def _in_table(self, rows: str) -> bool:
        """Whether they go on with a table."""
        above = self._tail[self._tail.rfind("\n", 0, -1) + 1 :]
        return above.startswith("|") and rows.startswith("|")

    def _open(self, rest: str) -> list[Line]:
        if len(rest) > MOST_OPEN:
            return indented(wrap_text(rest, self._page("").prose))
        if len(rest) > MOST_TABLE and self._in_table("|"):
            return self._long_table(rest)
        return self._drawn(rest)

    def _long_table(self, rest: str) -> list[Line]:
        before, lines = self._table
        if not before or not rest.startswith(before) or len(rest) * 8 > len(before) * 9:
            self._table = before, lines = rest, self._drawn(rest)
        new = rest[len(before) :].rstrip("\n")
        return [*lines, *indented(wrap_text(new, self._page("").code))] if new else lines

    def _drawn(self, rest: str) -> list[Line]:
        return indented(draw_nodes(_units(parse(rest)), self._page(rest)))

    def _take(self, text: str, width: int) -> None:
        """Move the whole rows of what is new to where they belong."""
        if width != self.width or not text.startswith(self.text):
            self._begin(width)
        self._raw += text[len(self.text) :]
        self.text = text
        end = self._raw.rfind("\n") + 1
        if not end or not plain(self._raw[:end] + _PROBE).endswith(_PROBE):
            return  # no row, or the probe fell into a control sequence that is still open
        rows, self._raw = safe(self._raw[:end]), self._raw[end:]
        if self._fence is not None:
            self._grow(self._fence, rows)
        elif self._in_table(rows) and all(row[:1] == "|" for row in rows.split("\n")[:-1]):
            self._tail += rows  # nothing can be finished by these
            return
        else:
            self._tail += rows
        self._settle()

    def _settle(self) -> None:
        """Draw for good what is finished in the tail."""
        while self._fence is None and len(self._tail) > self._tried:
            if blank := _BLANK_ROWS.match(self._tail):
                self._tail, self._above = self._tail[blank.end() :], "blank"
            elif (found := opening(self._tail)) is not None:
                rows, self._tail = self._tail[found.end() :], found[0]
                self._fence = OpenFence(found, self._page("").code)
                self._grow(self._fence, rows)
            else:
                self._cut()

    def _cut(self) -> None:
        """Take the finished blocks off the tail, or remember that there are none."""
        units, page = _units(parse(self._tail)), self._page(self._tail)
        count = _finished(units, page.source)
        if count:
            below: Above = "blank" if page.blank_before(units[count]) else "text"
            self._keep(units[:count], page, below)
            self._tail = "\n".join(page.source[begins(units[count]) :])
        else:
            size = len(self._tail)
            self._tried = size * 5 // 4 if size > MOST_OPEN else size

    def _grow(self, fence: OpenFence, rows: str) -> None:
        """Give rows to the open code; what comes behind its end is tail again."""
        split = rows.split("\n")[:-1]
        end = next((at for at, row in enumerate(split, 1) if fence.closes(row)), 0)
        if not end:
            fence.grow(split)
            self._tail += rows
            return
        self._fence = None
        source = self._tail + "".join(f"{row}\n" for row in split[:end])
        self._keep(parse(source), self._page(source), "text")
        self._tail = "".join(f"{row}\n" for row in split[end:])

    def _keep(self, units: Sequence["Node"], page: Page, below: Above) -> None:
        self.parses += len(units)
        self._lines += indented(draw_nodes(units, page))
        self._above, self._tried, self._last = below, 0, ("", [])
        self._table = ("", [])

    def _page(self, source: str) -> Page:
        prose = min(self.width, TEXT_CELLS) - _INDENT_CELLS
        above = self._above if self._lines else ""
        return Page(source.split("\n"), prose, self.width - _INDENT_CELLS, above)


def _units(nodes: Sequence["Node"]) -> list["Node"]:
    """What can be finished for itself: blocks, and of lists the items."""
    return [
        unit
        for node in nodes
        for unit in (node.children if node.type in ("bullet_list", "ordered_list") else [node])
    ]


def _finished(units: Sequence["Node"], source: Sequence[str]) -> int:
    """How many of the units end before the last one that is understood by itself: an item that
    is set in counts its blanks from the one above it."""
    for at in range(len(units) - 1, 0, -1):
        if units[at].type != "list_item" or source[begins(units[at])][:1] not in (" ", "\t"):
            return at
    return 0
