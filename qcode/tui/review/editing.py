"""A hunk in the editor: what stands around it, and whether it can stand there at all. Pure."""

from collections.abc import Mapping

from qcode.protocol.cells import cells
from qcode.tui.drawing.visible import visible
from qcode.tui.drawing.wrap import clip
from qcode.tui.lines import Line, Span
from qcode.tui.review.state import Item, ReviewState
from qcode.workspace.review import Hunk, editable, edited

_ROWS = 6
"""Lines above the editor, and below."""


def draft_of(state: ReviewState, item: Item, drafts: Mapping[int, str]) -> str:
    """What the editor begins with: what was left in it, the last edit, or the proposal."""
    assert item.hunk is not None
    choice = state.choices.get(item.number)
    if item.number in drafts:
        return drafts[item.number]
    if choice is not None and choice.kind == "edited":
        return choice.text
    return editable(item.hunk).replace("\r\n", "\n")


def refusal(state: ReviewState, item: Item, given: str, got: str) -> str:
    """Why the editor cannot hold the lines as they are; empty = it can."""
    hunk = item.hunk
    assert hunk is not None
    if item.number in state.conflicts:
        return "it does not apply any more, so there is nothing to edit"
    if any("\ud800" <= sign <= "\udfff" for sign in given):
        return "its text is not UTF-8, so it cannot be edited here"
    if edited(hunk, given) != edited(hunk, got):
        return "it has signs that an editor takes for line ends, so it cannot be edited here"
    return ""


def above(hunk: Hunk, width: int, indent: int) -> list[Line]:
    """Context and the old lines, over the editor; text begins behind so many cells."""
    old = hunk.old
    context = [(" ", line) for line in old[: hunk.lead]]
    removed = [("-", line) for line in old[hunk.lead : len(old) - hunk.trail]]
    return _lines([*context, *removed][-_ROWS:], width, indent)


def below(hunk: Hunk, width: int, indent: int) -> list[Line]:
    """Context under the editor."""
    old = hunk.old
    return _lines([(" ", line) for line in old[len(old) - hunk.trail :]], width, indent)


def _lines(rows: list[tuple[str, str]], width: int, indent: int) -> list[Line]:
    made = []
    for mark, text in rows:
        shown = visible(text.rstrip("\r\n")).expandtabs(4)
        spans = [Span(f"{mark:>{indent - 1}} {shown}", "remove" if mark == "-" else "dim")]
        kept = clip(spans, width)
        fill = width - sum(cells(span.text) for span in kept)
        made.append(Line((*kept, Span(" " * fill, spans[0].style))))
    return made
