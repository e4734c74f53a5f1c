"""The model's thinking: a line that counts, and its words when it is opened."""

from functools import lru_cache

from qcode.tui.blocks import ReasoningBlock
from qcode.tui.drawing.margin import indented, ornament
from qcode.tui.drawing.view import View
from qcode.tui.drawing.visible import safe
from qcode.tui.drawing.words import count, seconds, short
from qcode.tui.drawing.wrap import clip, wrap_text
from qcode.tui.lines import Line, Span

_WHY = {
    "budget": "its budget was used up",
    "person": "you wanted the answer",
    "loop": "it repeated itself",
}


def reasoning(block: ReasoningBlock, view: View) -> list[Line]:
    """`▸ thought 6.2 s · 412 tokens`, or `▾` and all of it."""
    mark = "▾" if view.opened else "▸"
    head = Line(clip([Span(f"   {mark} {_counts(block, view.now)}", "dim")], view.text), skip=5)
    text = safe(block.text).strip("\n")
    if not view.opened or not text:
        return [head]
    rows = [line for row in text.split("\n") for line in _row(row, view.text - 7)]
    return [head, *rows]


def _counts(block: ReasoningBlock, now: float) -> str:
    over = block.state == "done"
    took = block.seconds if over else max(now - block.began, 0.0)
    tokens = count(block.tokens, "token")
    if not over and block.budget:
        tokens = f"{short(block.tokens)} of {short(block.budget)} tokens"
    why = " ".join(safe(_WHY.get(block.why, block.why)).split())
    known = not over or took > 0  # a log does not hold how long it took
    parts = [
        f"{'thought' if over else 'thinking'}{f' {seconds(took)}' if known else ''}",
        *([tokens] if block.tokens else []),
        *([why] if why else []),
    ]
    return " · ".join(parts)


@lru_cache(2048)
def _row(text: str, width: int) -> tuple[Line, ...]:
    """One row of the source; kept, because all of them are asked for while more come."""
    return tuple(indented(ornament(wrap_text(text, width, "dim"), Span("  │ ", "gutter"))))
