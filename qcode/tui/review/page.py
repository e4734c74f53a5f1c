"""The hunks of a file as one column of lines, and which hunk each line is of. Pure.

Only the hunks near the cursor are drawn, and of a hunk only so many rows: a generated file of a
hundred thousand lines opens as quickly as a small one.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from qcode.protocol.cells import cells
from qcode.tui.drawing.highlight import language_of
from qcode.tui.drawing.visible import safe, visible
from qcode.tui.drawing.wrap import wrap
from qcode.tui.lines import BLANK, Line, Span
from qcode.tui.review.chrome import STYLES, ends_line
from qcode.tui.review.outcome import Beyond
from qcode.tui.review.rows import DiffRow, Sheet, beside_rows, numbered, unified_rows
from qcode.tui.review.state import MARKS, Item, ReviewState
from qcode.tui.review.syntax import MOST_CHARACTERS
from qcode.workspace.review import Hunk, Mark, edited

NEAR_HUNKS = 30
MOST_ROWS = 1000
_HERE, _ELSEWHERE = Span("▌", "accent"), Span(" ")


Drawn = dict[tuple[object, ...], list[Line]]
_MOST_DRAWN = 500


class Look(msgspec.Struct, frozen=True):
    """How a page is looked at."""

    width: int
    beside: bool = False
    staged: frozenset[int] = frozenset()
    """Numbers of the items that are in the index."""
    notes: Mapping[int, str] | None = None
    """By item: what could not be done about it."""
    settled: Mapping[int, str] | None = None
    """By item: what was done about it."""
    beyond: Beyond | None = None
    words: Mapping[str, str] | None = None
    """Mark -> the word for it."""
    drawn: Drawn | None = None
    """Rows that were drawn before, to be taken from there."""
    others: Mapping[int, str] | None = None
    """By item: who else made it."""
    language: str = ""
    """In whose colours the rows are; empty = in none."""


class Page(msgspec.Struct, frozen=True):
    """All lines, and the item of each; None = of none."""

    lines: tuple[Line, ...]
    owners: tuple[int | None, ...]

    def span(self, number: int) -> tuple[int, int]:
        """The first line of an item and the one behind its last."""
        mine = [at for at, owner in enumerate(self.owners) if owner == number]
        return (mine[0], mine[-1] + 1) if mine else (0, 0)


def page(state: ReviewState, look: Look) -> Page:
    """The file under the cursor."""
    item = state.item
    if item is None:
        return Page((), ())
    items = state.of_file(item.file)
    low = max(item.place - 1 - NEAR_HUNKS, 0)
    high = item.place + NEAR_HUNKS
    lines: list[Line] = []
    owners: list[int | None] = []
    _more(lines, owners, f"{low} more hunks above" if low else "")
    language = language_of(state.files[item.file].path)
    lit = _lit(items[low:high], item) if language else set()
    for each in items[low:high]:
        tongue = language if each.number in lit else ""
        made = item_lines(state, each, replace(look, language=tongue))
        lines += [*made, BLANK]
        owners += [each.number] * len(made) + [None]
    _more(lines, owners, f"{len(items) - high} more hunks below" if len(items) > high else "")
    return Page(tuple(lines), tuple(owners))


def _lit(items: Sequence[Item], at: Item) -> set[int]:
    """Numbers of the items nearest to the one at hand, as many as are coloured in no time."""
    left, found = MOST_CHARACTERS, {at.number}
    for item in sorted(items, key=lambda item: abs(item.number - at.number)):
        rows = item.hunk.rows[:MOST_ROWS] if item.hunk else ()
        left -= sum(len(text) for _, text in rows)
        if left < 0:
            break
        found.add(item.number)
    return found


def _more(lines: list[Line], owners: list[int | None], words: str) -> None:
    if words:
        lines.append(Line((Span(f"   … {words}: n and p go there", "dim"),)))
        owners.append(None)


def item_lines(state: ReviewState, item: Item, look: Look) -> list[Line]:
    """Head, rows, comment."""
    before = _HERE if item.number == state.cursor else _ELSEWHERE
    head = [_head(state, item, look, before)]
    if item.hunk is None:
        return [*head, *_whole(state, item, look, before), *_said(state, item, look, before)]
    body = [replace(line, spans=(before, *line.spans)) for line in _body(state, item, look)]
    return [*head, *body, *_said(state, item, look, before)]


def _body(state: ReviewState, item: Item, look: Look) -> list[Line]:
    """The rows, without the bar that says where the cursor is."""
    choice, more = state.choices.get(item.number), state.expanded.get(item.number, 0)
    text = choice.text if choice and choice.kind == "edited" else None
    seen = (look.width, look.beside, look.language)
    key = (item.number, *seen, text, more, look.beyond is None)
    drawn = look.drawn if look.drawn is not None else {}
    if key not in drawn:
        if len(drawn) > _MOST_DRAWN:
            drawn.clear()
        drawn[key] = _rows(state, item, look)
    return drawn[key]


def _rows(state: ReviewState, item: Item, look: Look) -> list[Line]:
    rows, hidden = shown_rows(state, item, look.beyond)
    digits = max(3, len(str(max(rows[-1].old or 0, rows[-1].new or 0))))
    sheet = Sheet(look.width - 1, digits, look.language)
    made = (beside_rows if look.beside else unified_rows)(rows, sheet)
    if hidden:
        words = f"   … {hidden:,} more lines of this hunk are not shown"
        made.append(Line((Span(words, "dim"),)))
    return made


def shown_rows(state: ReviewState, item: Item, beyond: Beyond | None) -> tuple[list[DiffRow], int]:
    """The rows of a hunk with what the person made of it, and more context where it is known; and
    how many were left out."""
    hunk = item.hunk
    assert hunk is not None
    rows: Sequence[tuple[Mark, str]] = hunk.rows
    choice = state.choices.get(item.number)
    if choice is not None and choice.kind == "edited":
        rows = _edited_rows(hunk, choice.text)
    made = list(numbered(hunk.old_start, hunk.new_start, rows[:MOST_ROWS]))
    hidden = len(rows) - len(made)
    wanted = state.expanded.get(item.number, 0)
    if not wanted or beyond is None or hidden:
        return made, hidden
    return _expanded(made, hunk, wanted, beyond), 0


def _edited_rows(hunk: Hunk, text: str) -> list[tuple[Mark, str]]:
    new = edited(hunk, text)
    old = hunk.old
    lead, trail = hunk.lead, hunk.trail
    return [
        *((" ", line) for line in old[:lead]),
        *(("-", line) for line in old[lead : len(old) - trail]),
        *(("+", line) for line in new[lead : len(new) - trail]),
        *((" ", line) for line in old[len(old) - trail :]),
    ]


def _expanded(rows: list[DiffRow], hunk: Hunk, wanted: int, beyond: Beyond) -> list[DiffRow]:
    """Lines of the file above and below; a neighbouring hunk is shown as that side has it."""
    is_old = beyond.side == "old"
    start = (hunk.old_start if is_old else hunk.new_start) - 1
    end = start + len(hunk.old if is_old else hunk.new)
    low = max(start - wanted, 0)
    above = beyond.lines[low:start]
    below = beyond.lines[end : end + wanted]
    old_end, new_end = hunk.old_start + len(hunk.old), hunk.new_start + len(hunk.new)
    moved = start - low
    first = numbered(hunk.old_start - moved, hunk.new_start - moved, [(" ", one) for one in above])
    last = numbered(old_end, new_end, [(" ", one) for one in below])
    return [*first, *rows, *last]


def _head(state: ReviewState, item: Item, look: Look, before: Span) -> Line:
    mark = state.mark(item.number)
    style = "strong" if item.number == state.cursor else "dim"
    word = (look.settled or {}).get(item.number) or (look.words or {}).get(mark, "")
    left = [before, Span(f"{MARKS[mark]} ", STYLES[mark]), *_where(item, style)]
    left += [Span(f"  {word}", STYLES[mark])] if word else []
    other = (look.others or {}).get(item.number)
    right = [Span(f"{other} ", "warning")] if other else []
    right += [Span("staged ", "ok")] if item.number in look.staged else []
    return ends_line(left, right, look.width)


def _where(item: Item, style: str) -> list[Span]:
    if item.hunk is None:
        return [Span("the whole file", style)]
    hunk = item.hunk
    old = _range(hunk.old_start, len(hunk.old))
    new = _range(hunk.new_start, len(hunk.new))
    return [Span("@@ ", "faint"), Span(f"{old} → {new}", style)]


def _range(start: int, size: int) -> str:
    if not size:
        return "nothing"
    return f"{start}" if size == 1 else f"{start}–{start + size - 1}"


def _whole(state: ReviewState, item: Item, look: Look, before: Span) -> list[Line]:
    """What there is to see of a change without hunks."""
    change = state.files[item.file]
    made = [Line((before, Span(f"  {visible(change.about or 'changed')}", "dim")))]
    styles = {"+": "add", "-": "remove"}
    for row in change.patch.split("\n")[:-1][:MOST_ROWS]:
        style = styles.get(row[:1], "dim")
        text = visible(row).replace("\t", "    ")
        made.append(Line((before, Span("  "), Span(text[: look.width - 4], style))))
    return made


def _said(state: ReviewState, item: Item, look: Look, before: Span) -> list[Line]:
    """Below the hunk: why it does not apply, what went wrong, the comment."""
    said = []
    if why := state.conflicts.get(item.number):
        said.append((f"! does not apply: {why}", "warning"))
    if note := (look.notes or {}).get(item.number):
        said.append((f"! {note}", "warning"))
    if words := state.comments.get(item.number):
        said.append((f"✉ “{words}”", "accent"))
    made = []
    for text, style in said:
        for part in wrap([Span(safe(text), style)], max(look.width - 4, 10)):
            fill = " " * max(look.width - 3 - sum(cells(one.text) for one in part.spans), 0)
            made.append(Line((before, Span("  "), *part.spans, Span(fill)), skip=3))
    return made
