"""One tool call: a row that says what and how it went, a few rows of what came of it."""

from collections.abc import Sequence

from msgspec.structs import replace

from qcode.protocol.cells import cells
from qcode.protocol.display import DiffBlock, OutputBlock
from qcode.tui.blocks import CallBlock, ShellBlock
from qcode.tui.drawing.bodies import body, framed, named, sentences, text_body
from qcode.tui.drawing.outcome import ended, outcome
from qcode.tui.drawing.said import notes
from qcode.tui.drawing.view import View
from qcode.tui.drawing.visible import visible
from qcode.tui.drawing.words import count
from qcode.tui.drawing.wrap import clip
from qcode.tui.lines import Line, Span

MARKS = {
    "writing": ("✎", "accent"),
    "queued": ("·", "dim"),
    "waiting": ("?", "warning"),
    "running": ("◌", "accent"),
    "ok": ("●", "ok"),
    "error": ("✗", "error"),
    "denied": ("⊘", "warning"),
    "cancelled": ("○", "dim"),
}
_NAME_CELLS = 6
_LEAST_LEFT = 24
"""Cells for what was called, where there is room for that."""
_LIVE_ROWS = 5
"""Of the output of a command that runs."""


def card(block: CallBlock, view: View) -> list[Line]:
    """The head, the sub-lines, the body."""
    return [_head(block, view), *notes(block.notes, view), *_body(block, view)]


def shell(block: ShellBlock, view: View) -> list[Line]:
    """A command of the person's own: `! command`, and the end of its output."""
    done = OutputBlock(block.command, block.output, block.exit_code, block.seconds)
    right = ended(done) if block.state == "done" else [Span("runs", "dim")]
    if block.share == "tell":
        right = [Span("the model is told  ", "dim"), *right]
    left = [Span(" ! ", "prompt"), Span(_flat(block.command), "code")]
    rows = text_body(block.output, "text", view, "bottom")
    return [headline(left, right, view.text), *framed(rows, view)]


def headline(left: Sequence[Span], right: Sequence[Span], width: int) -> Line:
    """Left what, right what came of it; the left is cut first."""
    right = clip(right, max(width - _LEAST_LEFT, width // 2))
    room = width - Line(tuple(right)).width
    left = clip(left, room - 2 if right else room)
    gap = room - Line(tuple(left)).width
    spans = (*left, Span(" " * gap), *right) if right else left
    return Line(tuple(span for span in spans if span.text), skip=3)


def _head(block: CallBlock, view: View) -> Line:
    mark, style = MARKS[block.state]
    if block.state == "writing":
        written = f" · {count(block.written, 'character')}" if block.written else ""
        words = f"writing {_flat(block.name) or 'a call'}"
        spans = [Span(f"   {mark} ", style), Span(words, "text"), Span(written, "dim")]
        return headline(spans, [], view.text)
    name = _flat(block.name)
    named = Span(name + " " * max(_NAME_CELLS - cells(name), 0) + " ", "strong")
    left = [Span(f"   {mark} ", style), named, Span(_flat(block.summary), "text")]
    return headline(left, outcome(block, view.now), view.text)


def _body(block: CallBlock, view: View) -> list[Line]:
    if block.state == "running":
        rows = text_body(block.output, "dim", view, "bottom", _LIVE_ROWS)
        return framed(replace(rows, more=0), view)
    changed = sum(isinstance(one, DiffBlock) for one in block.blocks)
    bodies = [
        named(one, view) if changed > 1 and isinstance(one, DiffBlock) else body(one, view)
        for one in block.blocks
    ]
    ran = any(isinstance(one, OutputBlock) for one in block.blocks)
    said = []
    if block.state in ("error", "denied") and not ran:
        said = [sentences(block.said, "error" if block.state == "error" else "dim", view)]
    return [row for one in [*said, *bodies] for row in framed(one, view)]


def _flat(text: str) -> str:
    return " ".join(visible(text).split())
