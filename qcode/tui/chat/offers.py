"""Keys that can be pressed now, in rows that break between two of them. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from qcode.protocol.cells import cells
from qcode.tui.drawing.wrap import wrap
from qcode.tui.lines import Line, Span

BETWEEN = "   "


def rows(offers: Iterable[Sequence[Span]], width: int) -> Iterator[Line]:
    """Each offer is a key and its words; one that is wider than a row is broken, never cut."""
    row: list[Span] = []
    for offer in offers:
        taken = sum(cells(span.text) for span in (*row, *offer))
        if row and taken + len(BETWEEN) > width:
            yield from wrap(row, width)
            row = []
        row += [Span(BETWEEN if row else " "), *offer]
    if row:
        yield from wrap(row, width)


def offer(key: str, words: str) -> tuple[Span, Span]:
    """`y once`."""
    return Span(key, "accent"), Span(f" {words}")
