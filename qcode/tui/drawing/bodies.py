"""What stands below the head of a card: one drawing for each kind of block."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import msgspec
from msgspec.structs import replace

from qcode.protocol.display import (
    Block,
    DiffBlock,
    FileBlock,
    MatchesBlock,
    OutputBlock,
    TextBlock,
    TodoBlock,
    TodoItem,
)
from qcode.tui.drawing.diff import Row, patch_rows, unified_lines
from qcode.tui.drawing.margin import hang, ornament
from qcode.tui.drawing.view import View
from qcode.tui.drawing.visible import safe, visible
from qcode.tui.drawing.wrap import clip, wrap
from qcode.tui.lines import Line, Span, line

MOST_ROWS = 8
"""Of a card's body, until it is opened."""
MOST_OPENED = 2_000
"""Of what is opened: so many are drawn in some 20 ms. The middle of a longer one is left out; what
is copied, exported or searched is all of it."""
_DRAWN_ROWS = 40
"""Of a hunk of a folded card: enough for the rows of one change to find one another."""
BAR = Span("     │ ", "gutter")
BAR_CELLS = 7
_LONGEST_ROW = 4_000
"""Characters: wider is no terminal."""
_BOXES = {"open": ("☐", "text"), "doing": ("▣", "accent"), "done": ("☑", "dim")}


class Body(msgspec.Struct, frozen=True):
    """Rows behind no bar yet, not cut in height."""

    rows: Sequence[Line]
    end: Literal["top", "bottom"] = "top"
    """Which is worth seeing when there is no room for all."""
    more: int = 0
    """Rows that were not even made, beyond the other end."""


def body(block: Block, view: View) -> Body:
    """Of one block; a file that was read has none."""
    match block:
        case DiffBlock(patch=patch):
            return _diff(patch, view)
        case OutputBlock():
            return _output(block, view)
        case MatchesBlock(rows=rows):
            return Body(_matches(rows) if view.opened else [])
        case TodoBlock(items=items):
            return Body([row for item in items for row in _step(item, view)])
        case TextBlock(text=text):
            return text_body(text, "text", view)
        case FileBlock():
            return Body([])


def text_body(
    text: str, style: str, view: View, end: Literal["top", "bottom"] = "top", most: int = MOST_ROWS
) -> Body:
    """A line for each line. Until it is opened, only the rows that may be seen are made."""
    text = text.rstrip()
    if not text:
        return Body([], end)
    if view.opened:
        return Body(_opened(text, style), end)
    rows = text.split("\n", most)[:most] if end == "top" else text.rsplit("\n", most)[-most:]
    more = text.count("\n") + 1 - len(rows)
    return Body([_row(row, style) for row in rows], end, more)


def _opened(text: str, style: str) -> list[Line]:
    """All rows, or the first and the last of them."""
    half = MOST_OPENED // 2
    between = text.count("\n") + 1 - 2 * half
    if between <= 0:
        return [_row(row, style) for row in text.split("\n")]
    first, last = text.split("\n", half)[:half], text.rsplit("\n", half)[-half:]
    words = f"… {between:,} rows between; Alt+C copies all of it"
    return [
        *(_row(row, style) for row in first),
        line(Span(words, "faint")),
        *(_row(row, style) for row in last),
    ]


def _row(text: str, style: str) -> Line:
    """Of one that was written over, what stood there last; no more than there is room for."""
    shown = _last(text)[:_LONGEST_ROW]
    return line(Span(safe(shown).expandtabs(8), style)) if shown else Line()


def _last(row: str) -> str:
    return row.rstrip("\r").rpartition("\r")[2]


def framed(made: Body, view: View) -> list[Line]:
    """The rows behind the bar of a card, cut in width, and until it is opened in height."""
    rows = list(made.rows)
    hidden = 0 if view.opened else len(rows) + made.more - MOST_ROWS
    if view.opened and made.more:  # there is more than anybody reads
        rows.append(line(Span(f"… {made.more:,} more rows; Alt+C copies all of it", "faint")))
    if hidden > 0 and made.end == "bottom":
        kept = rows[len(rows) - MOST_ROWS + 1 :]
        rows = [line(Span(f"… {hidden + 1:,} rows above", "faint")), *kept]
    elif hidden > 0:
        rows = [*rows[: MOST_ROWS - 1], line(Span(f"… {hidden + 1:,} more rows", "faint"))]
    room = view.width - BAR_CELLS
    cut = [
        Line(clip([span for span in row.spans if span.text], room), row.skip, row.joins)
        for row in rows
    ]
    return ornament(cut, BAR)


def _diff(patch: str, view: View) -> Body:
    """All of it once it is opened; until then the first changes, which are drawn alone."""
    hunks = patch_rows(patch)
    hunks = hunks if view.opened else [_near(rows) for rows in hunks]
    inside = View(view.width - BAR_CELLS)
    made: list[Line] = []
    for at, rows in enumerate(hunks):
        made += [line(Span("⋯", "gutter"))] if made else []
        most = MOST_OPENED - len(made) if view.opened else _DRAWN_ROWS
        made += unified_lines(rows[:most], inside)
        below = sum(map(len, hunks[at + 1 :])) + max(len(rows) - most, 0)
        if not view.opened and len(made) > MOST_ROWS:
            return Body(made, more=below)
        if below and len(made) >= MOST_OPENED:
            words = f"… {below:,} more rows; /review shows them all"
            return Body([*made, line(Span(words, "faint"))])
    return Body(made)


def _near(rows: Sequence[Row]) -> list[Row]:
    """What changed, and the one row above each change."""
    return [
        row for row, below in pairwise([*rows, (" ", 0, 0, "")]) if (row[0], below[0]) != (" ", " ")
    ]


def _output(block: OutputBlock, view: View) -> Body:
    made = text_body(block.tail, "dim", view, "bottom")
    told = [one for one in block.notes if view.opened or not one.startswith("[network]")]
    notes = [row for one in told for row in sentences(one, "warning", view).rows]
    if not view.opened:  # a host that was refused has a line of its own already
        return replace(made, rows=[*made.rows, *notes])
    command = [
        line(Span(f"$ {row}", "code")) for row in visible(block.command).expandtabs(4).split("\n")
    ]
    spill = [line(Span(f"all of it: {_flat(block.spill)}", "faint"))] if block.spill else []
    return replace(made, rows=[*command, *made.rows, *spill, *notes])


def _step(item: TodoItem, view: View) -> list[Line]:
    """Of the plan, whole: it is read, not skimmed."""
    box, style = _BOXES[item.state]
    words = wrap([Span(_flat(item.text), style)], view.width - BAR_CELLS - 2)
    return hang(words, Span(f"{box} ", style))


def sentences(text: str, style: str, view: View) -> Body:
    """Words, not output: broken where they are too long."""
    room, text = max(view.width - BAR_CELLS, 1), text.rstrip()
    if not text:
        return Body([])
    most = MOST_OPENED if view.opened else MOST_ROWS + 1
    seen = text[: max(room * most, _LONGEST_ROW)]
    words = (safe(_last(row)).expandtabs(8) for row in seen.split("\n"))
    rows = [row for each in words for row in wrap([Span(each, style)] * bool(each), room)]
    return Body(rows, more=beyond(text[len(seen) :], room))


def beyond(rest: str, width: int) -> int:
    """Rows that this would take, about."""
    return max(rest.count("\n"), len(rest) // max(width, 1)) + 1 if rest else 0


def named(block: DiffBlock, view: View) -> Body:
    """A change to one file of several."""
    made = body(block, view)
    return replace(made, rows=[line(Span(_flat(block.path), "link")), *made.rows])


def _matches(rows: Sequence[str]) -> list[Line]:
    """Paths as they are, the numbers of lines in the margin."""
    made = []
    for row in rows:
        number, mark, text = row.partition(":")
        if number.isdecimal() and mark:
            made.append(Line((Span(f"{number:>6} ", "gutter"), Span(_flat(text), "code")), skip=7))
        else:
            made.append(line(Span(_flat(row), "link")))
    return made


def _flat(text: str) -> str:
    return visible(text).expandtabs(4).replace("\n", " ")
