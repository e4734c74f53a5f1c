"""Words sought in the conversation. What a block holds is judged by its own text, so that only
blocks that hold them are ever drawn for it."""

import re
from dataclasses import fields

from qcode.tui.blocks import Block
from qcode.tui.copying import occurrences
from qcode.tui.layout import Place
from qcode.tui.paint import Mark
from qcode.tui.sheet import Sheet


def pattern(words: str) -> re.Pattern[str]:
    """Whatever the case, and with any blanks between them."""
    return re.compile(r"\s+".join(map(re.escape, words.split())), re.IGNORECASE)


def source(block: Block) -> str:
    """Every text in a block, whether it is shown or folded."""
    values = [getattr(block, field.name) for field in fields(block)]
    texts = [value for value in values if isinstance(value, str)]
    shown = [one for value in values if isinstance(value, tuple) for one in value]
    for one in shown:
        names = getattr(one, "__struct_fields__", ())
        texts += [text for name in names if isinstance(text := getattr(one, name), str)]
    return "\n".join([*texts, *(one for one in shown if isinstance(one, str))])


class Finding:
    """One search. Blocks that come or grow while it lasts are looked at too."""

    def __init__(self, sheet: Sheet, words: str) -> None:
        self.wanted = pattern(words)
        self.current: tuple[int, int] | None = None
        """Block, and which occurrence in it."""
        self._sheet = sheet
        self._found: dict[int, tuple[object, list[list[tuple[int, int, int]]]]] = {}

    def count(self) -> int:
        """Occurrences in all blocks, folded text included."""
        return sum(len(self.wanted.findall(source(block))) for block in self._sheet.blocks)

    def step(self, by: int, start: int) -> Place | None:
        """To the next occurrence, or with -1 the one before, round the ends; the first time from
        the block `start` on. Opens a block that holds it folded. None = there is none."""
        here, nth = self.current or (start, -1 if by > 0 else 10**9)
        count = len(self._sheet)
        for distance in range(count + 1):
            index = (here + by * distance) % count
            if distance:
                nth = -1 if by > 0 else 10**9
            places = self._places(index)
            left = range(nth + 1, len(places)) if by > 0 else range(min(nth, len(places)))
            if left:
                self.current = index, left[0] if by > 0 else left[-1]
                row = places[self.current[1]][0][0]
                return Place(index, row + self._sheet.gap(index))
        return None

    def marks(self, place: Place) -> list[Mark]:
        """What to highlight in a row."""
        row = place.row - self._sheet.gap(place.block)
        return [
            Mark(first, last, "match cursor" if (place.block, nth) == self.current else "match")
            for nth, pieces in enumerate(self._drawn(place.block))
            for at, first, last in pieces
            if at == row
        ]

    def _places(self, index: int) -> list[list[tuple[int, int, int]]]:
        if not self.wanted.search(source(self._sheet.blocks[index])):
            return []
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
