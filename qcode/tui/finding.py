"""Words sought in the conversation. What a block holds is judged by its own text, so that only
blocks that hold them are ever drawn for it."""

import re
from collections.abc import Iterator

from qcode.tui.blocks import Block
from qcode.tui.copying import occurrences
from qcode.tui.layout import Place
from qcode.tui.paint import Mark
from qcode.tui.sheet import Sheet

SLICE = 200_000
"""Characters that are looked at without a pause: some 5 ms."""
PIECE = SLICE // 2
"""Of one text at a time. Blanks and line breaks within words may run on for `BEYOND` behind it."""
BEYOND = 4_096
BLOCK_COST = 500
"""What any block costs, in characters of the same time."""


def pattern(words: str) -> re.Pattern[str]:
    """Whatever the case, and with any blanks between them."""
    return re.compile(r"\s+".join(map(re.escape, words.split())), re.IGNORECASE)


def source(block: Block) -> str:
    """Every text in a block, whether it is shown or folded."""
    values = [getattr(block, name) for name in block.__struct_fields__]
    texts = [value for value in values if isinstance(value, str)]
    shown = [one for value in values if isinstance(value, tuple) for one in value]
    for one in shown:
        names = getattr(one, "__struct_fields__", ())
        texts += [text for name in names if isinstance(text := getattr(one, name), str)]
    return "\n".join([*texts, *(one for one in shown if isinstance(one, str))])


def counts(wanted: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """How often it occurs in a piece of the text, and what that cost; piece by piece."""
    at = 0
    for start in range(0, max(len(text), 1), PIECE):
        end, count = start + PIECE, 0
        for found in wanted.finditer(text, max(at, start), end + BEYOND):
            if found.start() >= end:
                break
            at = found.end()
            count += 1
        yield count, min(PIECE, len(text) - start) + BLOCK_COST


class Finding:
    """One search. Blocks that come or grow while it lasts are looked at too.

    Looking goes in pieces: `look` and `seek` yield what the last one cost, in characters.
    """

    def __init__(self, sheet: Sheet, words: str) -> None:
        self.wanted = pattern(words)
        self.current: tuple[int, int] | None = None
        """Block, and which occurrence in it."""
        self.count = 0
        """Occurrences in the blocks that were looked at, folded text included."""
        self.place: Place | None = None
        """Where the last `seek` ended; None = there is no occurrence."""
        self._sheet = sheet
        self._judged: dict[int, tuple[Block, int]] = {}
        self._found: dict[int, tuple[object, list[list[tuple[int, int, int]]]]] = {}

    def look(self) -> Iterator[int]:
        """At all blocks, the last one first."""
        for index in reversed(range(len(self._sheet))):
            if index < len(self._sheet):
                yield from self._judge(index)

    def seek(self, by: int, start: int) -> Iterator[int]:
        """To the next occurrence, or with -1 the one before, round the ends; the first time from
        the block `start` on. Opens a block that holds it folded."""
        self.place = None
        edge = -1 if by > 0 else 10**9
        (here, nth), count = self.current or (start, edge), len(self._sheet)
        for distance in range(count + 1 if count else 0):  # all may be cut by now
            index = (here + by * distance) % count
            if index >= len(self._sheet):  # cut meanwhile
                continue
            yield from self._judge(index)
            if self._holds(index):
                if self._stop_at(index, by, edge if distance else nth):
                    return
                yield SLICE  # it was drawn

    def _judge(self, index: int) -> Iterator[int]:
        """Count in a block, unless that was done."""
        block = self._sheet.blocks[index]
        known, before = self._judged.get(index, (None, 0))
        if known is block:
            return
        found = 0
        for counted, cost in counts(self.wanted, source(block)):
            found += counted
            yield cost
        self._judged[index] = block, found
        self.count += found - before

    def marks(self, place: Place) -> list[Mark]:
        """What to highlight in a row."""
        row = place.row - self._sheet.gap(place.block)
        return [
            Mark(first, last, "match cursor" if (place.block, nth) == self.current else "match")
            for nth, pieces in enumerate(self._drawn(place.block))
            for at, first, last in pieces
            if at == row
        ]

    def _stop_at(self, index: int, by: int, nth: int) -> bool:
        """At the next occurrence in that block behind the one with that number, or before it."""
        places = self._places(index)
        left = range(nth + 1, len(places)) if by > 0 else range(min(nth, len(places)))
        if left:
            self.current = index, left[0] if by > 0 else left[-1]
            row = places[self.current[1]][0][0]
            self.place = Place(index, row + self._sheet.gap(index))
        return bool(left)

    def _holds(self, index: int) -> bool:
        return index < len(self._sheet) and self._judged[index][1] > 0

    def _places(self, index: int) -> list[list[tuple[int, int, int]]]:
        if not (found := self._drawn(index)) and not self._sheet.opened(index):
            self._sheet.toggle(index)
            if not (found := self._drawn(index)):
                self._sheet.toggle(index)
        return found

    def _drawn(self, index: int) -> list[list[tuple[int, int, int]]]:
        lines = self._sheet.lines(index)
        known, found = self._found.get(index, (None, []))
        if known is not lines:
            found = list(occurrences(lines, self.wanted))
            self._found[index] = lines, found
        return found
