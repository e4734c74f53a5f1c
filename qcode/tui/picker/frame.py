"""What a picker looks like, as lines. Pure."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from qcode.protocol.cells import cells, fit
from qcode.tui.drawing.wrap import wrap
from qcode.tui.lines import BLANK, Line, Span
from qcode.tui.picker.rows import Choices, Hit, Row, T

WIDE = 96
"""Cells from which on a preview stands beside the rows."""
CHROME = 5
"""Rows that are no choices: title, rule, search line, rule, keys."""
LEAST_HUNG = 12
"""Cells; in fewer a title does not go on below itself."""
POINTER = " ❯ "


class Hint(NamedTuple):
    """A key in the last line."""

    key: str
    """As people write it: `⏎`, `^R`."""
    word: str


class Question(msgspec.Struct, frozen=True):
    """What the search line asks instead of searching."""

    words: str
    typed: str = ""
    kind: Literal["text", "key"] = "text"
    """`key` = one key is the answer: no cursor stands there."""


class Sheet(msgspec.Struct, frozen=True):
    """What stands around the rows."""

    title: str
    place: Literal["foot", "page"] = "foot"
    """A strip below what is there, or the whole screen."""
    placeholder: str = "type to search"
    empty: str = "Nothing here."
    """Where there are no rows at all, and none will come."""
    hints: tuple[Hint, ...] = ()
    status: str = ""
    """At the right of the title."""
    trouble: str = ""
    """A sentence that stands in for the keys until the next key."""
    question: Question | None = None
    preview: Sequence[Line] | None = None
    """None = there never is one."""
    scroll: int = 0
    """Lines of the preview that are scrolled away."""


class Frame(msgspec.Struct):
    """Lines, and which of them are rows."""

    lines: list[Line]
    rows: dict[int, int] = msgspec.field(default_factory=dict)
    """y -> index in `Choices.found`."""
    split: int = 0
    """Cells of the left half; 0 = there is no right one."""


def frame(choices: Choices[T], sheet: Sheet, width: int, height: int) -> Frame:
    """The picker in `width` times `height` cells; never fewer or more lines than that."""
    room = max(1, height - CHROME)
    split = min(width // 2, 64) if sheet.preview is not None and width >= WIDE else 0
    made = Frame([], split=split)
    body = _rows(choices, sheet, (split or width), room, made.rows)
    if split:
        body = _beside(body, sheet, split, width, room)
    rule = Line((Span("─" * width, "rule"),))
    head = [_title(choices, sheet, width), rule]
    if sheet.place == "foot":
        head.reverse()  # the rule parts it from what is above
    head.append(_search(choices, sheet, width))
    made.lines = [*head, *body, rule, _foot(sheet, width)][:height]
    made.rows = {y + len(head): at for y, at in made.rows.items()}
    made.lines += [BLANK] * (height - len(made.lines))
    return made


def _title(choices: Choices[T], sheet: Sheet, width: int) -> Line:
    count = f"{len(choices.found)} of {len(choices.rows)}" if choices.query else ""
    right = fit(sheet.status or count, max(0, width - cells(sheet.title) - 4))
    gap = width - cells(sheet.title) - cells(right) - 2
    return Line(
        (
            Span(f" {fit(sheet.title, width - 2)}", "strong"),
            Span(" " * max(1, gap)),
            Span(f"{right} ", "dim"),
        )
    )


def _search(choices: Choices[T], sheet: Sheet, width: int) -> Line:
    asked = sheet.question
    if asked:
        words = fit(asked.words, max(8, width - 24))
        tail = (Span(_tail(asked.typed, width - cells(words) - 5)), Span(" ", "cursor"))
        shown = tail if asked.kind == "text" else ()
        return Line((Span(" "), Span(f"{words} ", "warning"), *shown))
    if not choices.query:
        return Line(
            (
                Span(POINTER, "accent"),
                Span(" ", "cursor"),
                Span(fit(sheet.placeholder, width - 5), "faint"),
            )
        )
    return Line(
        (Span(POINTER, "accent"), Span(_tail(choices.query, width - 5)), Span(" ", "cursor"))
    )


def _tail(text: str, width: int) -> str:
    """The end of what was typed, as much as fits."""
    while text and cells(text) > width:
        text = text[1:]
    return text


def _foot(sheet: Sheet, width: int) -> Line:
    if sheet.trouble:
        return Line((Span(f" {fit(sheet.trouble, width - 2)}", "warning"),))
    spans: list[Span] = [Span(" ")]
    used = 1
    for hint in sheet.hints:
        size = cells(hint.key) + cells(hint.word) + 4
        if used + size > width:
            break
        spans += [Span(hint.key, "accent"), Span(f" {hint.word}   ", "dim")]
        used += size
    return Line(tuple(spans))


def _rows(
    choices: Choices[T], sheet: Sheet, width: int, room: int, where: dict[int, int]
) -> list[Line]:
    """So many lines that the row at hand is among them."""
    if not choices.found:
        nothing = "Nothing found." if choices.query else (sheet.status or sheet.empty)
        return [BLANK, Line((Span(f"   {fit(nothing, width - 4)}", "dim"),)), *[BLANK] * room][
            :room
        ]
    grid = _grid(choices, width)
    tall = _with_headings(choices.found, grid)
    cursor = tall.index(choices.at)
    top = min(max(0, cursor - room * 2 // 3), max(0, len(tall) - room))
    if cursor < room:
        top = 0
    lines: list[Line] = []
    for y, entry in enumerate(tall[top : top + room]):
        if isinstance(entry, str):
            lines.append(Line((Span(f" {fit(entry, width - 2)}", "dim"),)))
            continue
        at, part = entry if isinstance(entry, Below) else (entry, 0)
        where[y] = at
        hand: Hand = "at hand" if at == choices.at else "other"
        hit = choices.found[at]
        lines.append(_below(hit, part, grid, hand) if part else _row(hit, grid, hand))
    return lines + [BLANK] * (room - len(lines))


class Below(NamedTuple):
    """A further line of a row."""

    at: int
    """Index of the row."""
    part: int


def _with_headings(found: Sequence[Hit[T]], grid: "Grid | None" = None) -> list[int | str | Below]:
    """Indices of rows, and headings where a group begins; of rows that go on, each line."""
    made: list[int | str | Below] = []
    group = ""
    for at, hit in enumerate(found):
        if hit.group != group and hit.group:
            made.append(hit.group)
        group = hit.group
        made.append(at)
        parts = len(_parts(hit, grid)) if grid and hit.row.hang else 1
        made += [Below(at, part) for part in range(1, parts)]
    return made


Hand = Literal["at hand", "other"]


class Grid(NamedTuple):
    """Where the parts of all rows stand."""

    width: int
    no_mark: str
    """Blanks in place of a mark; empty = no row has one."""
    column: int
    """Cells of the titles, the notes left behind them; 0 = the notes stand at the right."""


def _grid(choices: Choices[T], width: int) -> Grid:
    rows = [hit.row for hit in choices.found]
    no_mark = "  " if any(row.mark for row in rows) else ""
    column = max(cells(row.title) for row in rows) + 3
    notes = max(cells(row.note) for row in rows)
    fits = column <= width // 2 and column + notes <= width - 4 - len(no_mark)
    return Grid(width, no_mark, column if fits else 0)


def _row(hit: Hit[T], grid: Grid, hand: Hand) -> Line:
    row, at_hand = hit.row, hand == "at hand"
    base = " focus" if at_hand else ""
    sign = {"now": "● ", "bad": "✗ ", "": grid.no_mark}[row.mark]
    room = grid.width - 4 - len(sign)
    title = fit(_parts(hit, grid)[0], _title_room(row, room))
    note_room = max(0, room - max(cells(title) + 2, grid.column))
    note = fit(row.note, note_room) if not row.hang or cells(row.note) <= note_room else ""
    gap = (grid.column or room - cells(note)) - cells(title)
    rest = room - cells(title) - gap - cells(note) + 1
    tone = "dim" if row.mark == "bad" else "text"
    return Line(
        (
            Span(POINTER if at_hand else "   ", f"accent{base}"),
            Span(sign, f"{'error' if row.mark == 'bad' else 'ok'}{base}"),
            *_lit(title, hit.places, tone, base),
            Span(" " * gap, f"text{base}"),
            Span(note + " " * rest, f"dim{base}"),
        )
    )


def _title_room(row: Row[T], room: int) -> int:
    return room if row.hang else min(room, max(room - cells(row.note) - 2, room // 2))


def _parts(hit: Hit[T], grid: Grid) -> list[str]:
    """The title, in as many lines as it takes where it may go on below itself."""
    row, room = hit.row, grid.width - 4 - len(grid.no_mark)
    hung = room - cells(row.title[: row.hang])
    if not row.hang or cells(row.title) <= room or hung < LEAST_HUNG:
        return [row.title]
    parts = [line.text for line in wrap([Span(row.title[row.hang :])], hung)]
    return [row.title[: row.hang] + parts[0], *parts[1:]]


def _below(hit: Hit[T], part: int, grid: Grid, hand: Hand) -> Line:
    """A further line of a row, its letters not set off."""
    base = " focus" if hand == "at hand" else ""
    start = len(POINTER) + len(grid.no_mark) + cells(hit.row.title[: hit.row.hang])
    text = f"{' ' * start}{_parts(hit, grid)[part]}"
    return Line((Span(f"{text}{' ' * (grid.width - cells(text))}", f"text{base}"),))


def _lit(title: str, places: Sequence[int], tone: str, base: str) -> list[Span]:
    """The title, the letters that were searched for set off."""
    spans: list[Span] = []
    lit = set(places)
    for at, letter in enumerate(title):
        style = f"{tone} match{base}" if at in lit else f"{tone}{base}"
        if spans and spans[-1].style == style:
            spans[-1] = Span(spans[-1].text + letter, style)
        else:
            spans.append(Span(letter, style))
    return spans


def _beside(body: Sequence[Line], sheet: Sheet, split: int, width: int, room: int) -> list[Line]:
    """Rows at the left, the preview at the right."""
    preview = list(sheet.preview or ())[sheet.scroll : sheet.scroll + room]
    preview += [BLANK] * (room - len(preview))
    made = []
    for left, right in zip(body, preview, strict=True):
        gap = Span(" " * max(0, split - left.width))
        made.append(Line((*left.spans, gap, Span("│ ", "rule"), *_cut(right, width - split - 3))))
    return made


def _cut(line: Line, width: int) -> tuple[Span, ...]:
    if line.width <= width:
        return line.spans
    spans = []
    for span in line.spans:
        text = fit(span.text, width) if cells(span.text) > width else span.text
        spans.append(Span(text, span.style))
        width -= cells(text)
        if width <= 0:
            break
    return tuple(spans)


def tall(choices: Choices[T]) -> int:
    """Lines that all of it would take."""
    return len(_with_headings(choices.found)) + CHROME
