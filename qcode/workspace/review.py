"""A change taken apart into hunks, a choice for each, and the text that comes of it. Pure.

Lines keep their own ends (`\\n`, `\\r\\n`, none at the end of the file), so that what results is
made of the very lines of both sides. Nothing here reads a file.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import msgspec

from qcode.workspace.diff import Operation, groups, lines_of, span
from qcode.workspace.ownlines import closed, with_ends

Mark = Literal[" ", "-", "+"]
Row = tuple[Mark, str]
"""A line of a hunk, with its own end, and the side that it is of; a blank = of both."""


@dataclass(frozen=True)  # not slotted: what is made of the rows is made once
class Hunk:
    """One place of a change, with up to three lines of context around."""

    number: int
    """From 0, in the order of the file."""
    old_start: int
    """First line in the old text, from 1; without old lines, the line that it comes before."""
    new_start: int
    rows: tuple[Row, ...]

    @cached_property
    def old(self) -> tuple[str, ...]:
        """The lines as they were, context too."""
        return tuple(line for mark, line in self.rows if mark != "+")

    @cached_property
    def new(self) -> tuple[str, ...]:
        """The lines as proposed, context too."""
        return tuple(line for mark, line in self.rows if mark != "-")

    @cached_property
    def lead(self) -> int:
        """Lines of context at the beginning."""
        return _contexts(self.rows)

    @cached_property
    def trail(self) -> int:
        """Lines of context at the end; 0 when there is nothing but context."""
        return _contexts(self.rows[::-1]) if self.lead < len(self.rows) else 0

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """The new lines from the first that changed to the last: what a person may edit."""
        return self.new[self.lead : len(self.new) - self.trail]

    @cached_property
    def header(self) -> str:
        """As a patch writes it: `@@ -1,7 +1,8 @@`."""
        old, new = self.old_start - 1, self.new_start - 1
        return f"@@ -{span(old, old + len(self.old))} +{span(new, new + len(self.new))} @@"


class Choice(msgspec.Struct, frozen=True):
    """What a person decided about one hunk."""

    kind: Literal["keep", "drop", "edited"]
    text: str = ""
    """Of `edited`: what stands in the place of `Hunk.changed`. Line ends follow the file."""
    comment: str = ""


KEEP = Choice("keep")


def hunks(before: str, after: str) -> tuple[Hunk, ...]:
    """The hunks of `diff.unified(before, after)`: the same, in the same order."""
    old, new = lines_of(before), lines_of(after)
    return tuple(
        Hunk(number, group[0][1] + 1, group[0][3] + 1, _rows(group, old, new))
        for number, group in enumerate(groups(old, new))
    )


def result(before: str, parts: Sequence[Hunk], choices: Mapping[int, Choice]) -> str:
    """`before` with the hunks as they were chosen; one that is not named is kept.

    All kept is the proposed text, all dropped is `before`.
    """
    places = {hunk.number: hunk.old_start - 1 for hunk in parts}
    return _laid(lines_of(before), parts, choices, places)


def fits(now: str, parts: Sequence[Hunk]) -> dict[int, str]:
    """For a text that changed under the proposal: by number, why a hunk does not apply; empty =
    it does, maybe at another line."""
    return {number: why for number, (_, why) in _placed(lines_of(now), parts).items()}


def merged(now: str, parts: Sequence[Hunk], choices: Mapping[int, Choice]) -> str:
    """`now` with the chosen hunks that still apply; the others are left out."""
    lines = lines_of(now)
    places = {number: place for number, (place, why) in _placed(lines, parts).items() if not why}
    return _laid(lines, [hunk for hunk in parts if hunk.number in places], choices, places)


def editable(hunk: Hunk) -> str:
    """What a person is given to edit; `edited` of the same text is the hunk as proposed."""
    return "".join(hunk.changed)


def edited(hunk: Hunk, text: str) -> tuple[str, ...]:
    """The new side of the hunk with the person's text in it, context too."""
    around = [line for _, line in hunk.rows]
    mine = with_ends(text, hunk.changed, around)
    is_last = not hunk.trail and any(not line.endswith("\n") for line in around)
    new = hunk.new
    lead, trail = new[: hunk.lead], new[len(new) - hunk.trail :]
    return (*lead, *(mine if is_last else closed(mine, around)), *trail)


def reversed_hunk(hunk: Hunk) -> Hunk:
    """The hunk that takes this one back."""
    turned: list[Row] = []
    removed: list[Row] = []
    for mark, line in hunk.rows:
        if mark == "-":
            removed.append(("+", line))
            continue
        if mark == " ":
            turned += removed
            removed = []
        turned.append(("-" if mark == "+" else " ", line))
    return Hunk(hunk.number, hunk.new_start, hunk.old_start, (*turned, *removed))


def _rows(group: Sequence[Operation], old: Sequence[str], new: Sequence[str]) -> tuple[Row, ...]:
    rows: list[Row] = []
    for tag, low, high, left, right in group:
        if tag == "equal":
            rows += [(" ", line) for line in old[low:high]]
            continue
        rows += [("-", line) for line in old[low:high]]
        rows += [("+", line) for line in new[left:right]]
    return tuple(rows)


def _contexts(rows: Sequence[Row]) -> int:
    return next((at for at, (mark, _) in enumerate(rows) if mark != " "), len(rows))


def _laid(
    lines: Sequence[str],
    parts: Sequence[Hunk],
    choices: Mapping[int, Choice],
    places: Mapping[int, int],
) -> str:
    made: list[str] = []
    at = 0
    for hunk in parts:
        place = places[hunk.number]
        made += lines[at:place]
        made += _chosen(hunk, choices.get(hunk.number, KEEP))
        at = place + len(hunk.old)
    return "".join([*made, *lines[at:]])


def _chosen(hunk: Hunk, choice: Choice) -> Sequence[str]:
    if choice.kind == "edited":
        return edited(hunk, choice.text)
    return hunk.old if choice.kind == "drop" else hunk.new


def _placed(lines: Sequence[str], parts: Sequence[Hunk]) -> dict[int, tuple[int, str]]:
    """By number: the index of the hunk's first line, and why it has none."""
    placed: dict[int, tuple[int, str]] = {}
    end = moved = 0
    for hunk in parts:
        place, why = _place(lines, hunk, end, hunk.old_start - 1 + moved)
        placed[hunk.number] = place, why
        if not why:
            end, moved = place + len(hunk.old), place - (hunk.old_start - 1)
    return placed


def _place(lines: Sequence[str], hunk: Hunk, low: int, wanted: int) -> tuple[int, str]:
    """From `low` on, the place nearest to `wanted` that has the hunk's old lines."""
    if not hunk.old:
        return 0, "" if not lines else "the file is not empty any more"
    found = _found(lines, hunk.old, low)
    if hunk.new and not hunk.new[-1].endswith("\n"):  # nothing may follow it
        found = [place for place in found if place + len(hunk.old) == len(lines)]
    found.sort(key=lambda place: abs(place - wanted))
    if not found:
        return 0, _why_not(lines, hunk, low)
    if len(found) > 1 and abs(found[0] - wanted) == abs(found[1] - wanted):
        return 0, f"its lines moved, and stand at line {found[0] + 1} and at {found[1] + 1}"
    return found[0], ""


def _why_not(lines: Sequence[str], hunk: Hunk, low: int) -> str:
    if hunk.changed and _found(lines, hunk.new, low):
        return "the file has it already"
    if not lines:
        return "the file is empty now"
    return f"its lines near line {hunk.old_start} are not in the file any more"


def _found(lines: Sequence[str], wanted: Sequence[str], low: int) -> list[int]:
    size, places = len(wanted), []
    with suppress(ValueError):  # `index` finds no more
        while True:
            low = lines.index(wanted[0], low)
            if tuple(lines[low : low + size]) == tuple(wanted):
                places.append(low)
            low += 1
    return places
