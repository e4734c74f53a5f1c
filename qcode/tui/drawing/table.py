"""Tables that fit: columns shrink, cells wrap; too many columns become one row for each cell."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

import msgspec

from qcode.protocol.cells import cells
from qcode.tui.drawing.inline import pieces, tokens
from qcode.tui.drawing.margin import hang
from qcode.tui.drawing.wrap import wrap
from qcode.tui.lines import Line, Span

if TYPE_CHECKING:
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode as Node

LEAST_CELLS = 4
"""Of a column; where not even that is left, there are no columns."""
_BETWEEN = Span(" │ ", "gutter")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)

Side = Literal["left", "right", "center"]


class Cell(msgspec.Struct, frozen=True):
    """Lines of spans, not wrapped yet."""

    lines: tuple[tuple[Span, ...], ...]
    side: Side

    @property
    def width(self) -> int:
        """As wide as it likes to be."""
        return max((_cells(spans) for spans in self.lines), default=0)

    @property
    def word(self) -> int:
        """Its longest word."""
        texts = ("".join(span.text for span in spans) for spans in self.lines)
        return max((cells(word) for text in texts for word in text.split()), default=0)


def table(node: "Node", width: int, style: str) -> list[Line]:
    """The head, a rule, the rows."""
    head, *body = [
        [_cell(cell, style if part.type == "tbody" else f"{style} strong") for cell in row.children]
        for part in node.children
        for row in part.children
    ]
    room = width - cells(_BETWEEN.text) * (len(head) - 1)
    if room < LEAST_CELLS * len(head):
        return [line for row in body or [[]] for line in _listed(head, row, width)]
    widths = _widths([head, *body], room)
    rule = Line((Span("─┼─".join("─" * column for column in widths), "gutter"),))
    tall = any(_height(row, widths) > 1 for row in body)
    made = [*_row(head, widths), rule]
    for at, row in enumerate(body):
        made += [rule] if tall and at else []
        made += _row(row, widths)
    return made


def _cell(node: "Node", style: str) -> Cell:
    inside = [token for inline in node.children for token in _broken(tokens(inline))]
    side = str(node.attrs.get("style", "")).rpartition(":")[2]
    names = " ".join(name for name in style.split() if name != "text") or "text"
    lines = tuple(tuple(spans) for spans in pieces(inside, names))
    return Cell(lines, side if side in ("right", "center") else "left")  # type: ignore[arg-type]  # narrowed


def _broken(inside: Sequence["Token"]) -> Iterator["Token"]:
    """Tokens of a cell, where only `<br>` can end a line."""
    for token in inside:
        if token.type != "text":
            yield token
            continue
        for at, part in enumerate(_BREAK.split(token.content)):
            if at:
                yield token.copy(type="softbreak", content="")
            yield token.copy(content=part)


def _widths(table_rows: Sequence[Sequence[Cell]], room: int) -> list[int]:
    """Of the columns: as wide as they like, or the widest made narrower until all fit.

    Words are kept whole as long as that is possible.
    """
    columns = list(zip(*table_rows, strict=True))
    liked = [max(1, *(cell.width for cell in column)) for column in columns]
    words = [max(1, *(cell.word for cell in column)) for column in columns]
    least = words if sum(words) <= room else [min(LEAST_CELLS, width) for width in liked]
    widths = liked
    while sum(widths) > room:
        spare = [width - low for width, low in zip(widths, least, strict=True)]
        at = max(range(len(widths)), key=lambda column: (spare[column] > 0, widths[column]))
        widths[at] -= 1
    return widths


def _height(row: Sequence[Cell], widths: Sequence[int]) -> int:
    return max(len(_wrapped(cell, width)) for cell, width in zip(row, widths, strict=True))


def _wrapped(cell: Cell, width: int) -> list[Line]:
    return [line for spans in cell.lines for line in wrap(spans, width)]


def _row(row: Sequence[Cell], widths: Sequence[int]) -> Iterator[Line]:
    columns = [_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    for lines in zip_longest(*columns):
        spans: list[Span] = []
        for at, (line, cell, width) in enumerate(zip(lines, row, widths, strict=True)):
            spans += [_BETWEEN] if at else []
            spans += _placed(line.spans if line else (), cell.side, width)
        yield Line(tuple(spans))


def _placed(spans: Sequence[Span], side: Side, width: int) -> list[Span]:
    free = max(width - _cells(spans), 0)
    before = {"left": 0, "right": free, "center": free // 2}[side]
    padded = [Span(" " * before), *spans, Span(" " * (free - before))]
    return [span for span in padded if span.text]


def _listed(head: Sequence[Cell], row: Sequence[Cell], width: int) -> Iterator[Line]:
    """`Name: value`, one below the other."""
    for at, (name, cell) in enumerate(zip_longest(head, row)):
        label = name.lines[0] if name and name.lines else ()
        value = cell.lines[0] if cell and cell.lines else ()
        lines = wrap([*label, Span(": "), *value], width - 2)
        yield from hang(lines, Span("- " if not at else "  ", "accent"))


def _cells(spans: Sequence[Span]) -> int:
    return sum(cells(span.text) for span in spans)
