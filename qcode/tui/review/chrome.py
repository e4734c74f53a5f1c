"""What stands around the hunks: head, list of files, line of the file, keys at the foot. Pure."""

from collections.abc import Collection, Sequence
from typing import overload

from qcode.protocol.cells import cells
from qcode.tui.drawing.visible import visible
from qcode.tui.drawing.wrap import clip
from qcode.tui.lines import Line, Span
from qcode.tui.review.keys import Key
from qcode.tui.review.outcome import Deeds
from qcode.tui.review.state import MARKS, Mark, ReviewState

STYLES: dict[Mark, str] = {
    "left": "dim",
    "keep": "ok",
    "drop": "error",
    "edited": "accent",
    "conflict": "warning",
}
_MARKS_SHOWN = 12


def head_line(state: ReviewState, deeds: Deeds, width: int) -> Line:
    """What it is, how much, and how far one has come."""
    files, hunks = len(state.files), len(state.items)
    if not hunks:
        return Line((Span(f" {deeds.title}", "strong"),))
    keys = [Span("? ", "accent"), Span("keys ", "dim")]
    title, much = f" {deeds.title}", f"   {_many(files, 'file')}   {_many(hunks, 'hunk')}"
    short = f" {deeds.title.split()[0]}"  # the line of the file says how many hunks there are
    counts = [*_left_out(deeds), *_counts(state, deeds)]
    for name, beside in ((title, much), (title, ""), (short, "")):
        spans = [Span(name, "strong"), Span(f"{beside}   ", "dim"), *counts]
        if sum(cells(span.text) for span in [*spans, *keys]) < width:
            break
    return ends_line(spans, keys, width)


def file_line(state: ReviewState, width: int, untold: Collection[str] = ()) -> Line:
    """The file under the cursor: what the list does not say, and where there is no list, all."""
    change, item = state.file, state.item
    if change is None or item is None:
        return Line()
    added, removed = change.counts
    spans = [Span(f" {visible(change.path)}", "accent"), Span("  ")]
    spans += [Span(f"+{added} ", "ok"), Span(f"−{removed}", "error")] if change.patch else []
    spans += [Span(f"  {visible(change.about)}", "dim")] if change.about else []
    spans += [Span("  who changed what is not known", "warning")] * (change.path in untold)
    place = f"file {item.file + 1} of {len(state.files)}   " if len(state.files) > 1 else ""
    hunk = f"hunk {item.place} of {len(state.of_file(item.file))} "
    return ends_line(spans, [Span(f"{place}{hunk}", "dim")], width)


class FilesLines(Sequence[Line]):
    """A line for each file, the one under the cursor set off. Each is made when it is looked at:
    there may be ten thousand, and a key draws them anew."""

    def __init__(self, state: ReviewState, width: int) -> None:
        self._state, self._width = state, width

    def __len__(self) -> int:
        return len(self._state.files)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> list[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | list[Line]:
        if isinstance(index, slice):
            return [self._line(one) for one in range(*index.indices(len(self)))]
        return self._line(range(len(self))[index])

    def _line(self, index: int) -> Line:
        state, width = self._state, self._width
        marks = [Span(MARKS[mark], STYLES[mark]) for mark in _marks(state, index)]
        name = Span(f" {_short(visible(state.files[index].path), width - len(marks) - 3)}")
        row = ends_line([name], [*marks, Span(" ")], width)
        if state.item is None or state.item.file != index:
            return row
        return Line(tuple(span._replace(style=f"{span.style} focus") for span in row.spans))


def keys_line(keys: Sequence[Key], width: int) -> Line:
    """As many as there is room for, the last one at the right; each leads to its action."""
    shown = [key for key in keys if key.short]
    if not shown:
        return Line()
    last = _offer(shown[-1])
    room = width - sum(cells(span.text) for span in last) - 2
    spans: list[Span] = []
    for key in shown[:-1]:
        offer = [Span("   " if spans else " "), *_offer(key)]
        size = sum(cells(span.text) for span in offer)
        if size > room:
            break
        spans += offer
        room -= size
    return ends_line(spans, [*last, Span(" ")], width)


def asked_line(undecided: int, keys: Sequence[Key], width: int) -> Line:
    """A question in place of the keys, and what answers it."""
    spans = [Span(f" {undecided} undecided: ", "warning")]
    for at, key in enumerate(keys):
        spans += [Span("   " if at else ""), *_offer(key)]
    return Line(clip(spans, width))


def leaving_line(decisions: int, keys: Sequence[Key], width: int) -> Line:
    """A question in place of the keys: what was decided would be lost."""
    words = f" {_many(decisions, 'decision')} not carried out"
    return ends_line([Span(words, "warning")], [*_between(keys), Span(" ")], width)


def _between(keys: Sequence[Key]) -> list[Span]:
    return [span for key in keys for span in (Span("   "), *_offer(key))]


def _offer(key: Key) -> list[Span]:
    return [Span(key.sign, "accent", key.what), Span(f" {key.short}", "dim", key.what)]


def help_lines(keys: Sequence[Key], width: int) -> list[Line]:
    """All keys with what they do."""
    shown = [key for key in keys if key.sign]
    title = ends_line([Span(" keys of the review", "strong")], [Span("esc back ", "dim")], width)
    rows = [
        Line(clip([Span(f"  {key.sign:<6} ", "accent"), Span(key.help)], width)) for key in shown
    ]
    return [title, Line((Span("─" * width, "rule"),)), *rows]


def ends_line(left: Sequence[Span], right: Sequence[Span], width: int) -> Line:
    """Both ends of a line; the left one is cut where they meet."""
    taken = sum(cells(span.text) for span in right)
    kept = clip(left, width - taken - 1)
    gap = width - taken - sum(cells(span.text) for span in kept)
    return Line((*kept, Span(" " * max(gap, 0)), *right))


def _left_out(deeds: Deeds) -> list[Span]:
    words = f"⚠ {_many(deeds.left_out, 'more new file')}, not read   "
    return [Span(words, "warning")] if deeds.left_out else []


def _counts(state: ReviewState, deeds: Deeds) -> list[Span]:
    words: dict[Mark, str] = {
        "keep": past(deeds.keeps),
        "edited": "edited",
        "drop": past(deeds.drops),
        "conflict": "in conflict",
        "left": "left",
    }
    spans: list[Span] = []
    for mark, word in words.items():
        if number := state.count(mark):
            spans += [Span(" · ", "faint")] if spans else []
            spans.append(Span(f"{number} {word}", STYLES[mark]))
    return spans


def past(word: str) -> str:
    """Of a word that a key has."""
    known = {"keep": "kept", "refuse": "refused", "take back": "to take back"}
    return {**known, "unstage": "to unstage"}.get(word, f"{word}ed")


def _marks(state: ReviewState, index: int) -> list[Mark]:
    """Of each hunk; of very many only those that say most."""
    marks = [state.mark(item.number) for item in state.of_file(index)]
    if len(marks) <= _MARKS_SHOWN:
        return marks
    order: tuple[Mark, ...] = ("conflict", "left", "drop", "edited", "keep")
    return [mark for mark in order if mark in marks]


def _short(path: str, width: int) -> str:
    """The end of a path says more than its beginning."""
    while cells(path) > width > 1:
        path = f"…{path[2:] if path.startswith('…') else path[1:]}"
    return path


def _many(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
