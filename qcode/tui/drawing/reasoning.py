"""The model's thinking: a line that counts, and its words when it is opened."""

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
    return [head, *_grown.rows(text, view.text - 7)]


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


class _Grown:
    """The rows of the text that was drawn last: all of it is asked for while more comes."""

    def __init__(self) -> None:
        self._width, self._text = 0, ""
        """As far as its rows are whole."""
        self._lines: list[Line] = []

    def rows(self, text: str, width: int) -> list[Line]:
        """Of a text that goes on from the last one, only what is new is wrapped."""
        if width != self._width or not text.startswith(self._text):
            self._width, self._text, self._lines = width, "", []
        *whole, open_row = text[len(self._text) :].split("\n")
        self._lines += [line for row in whole for line in _row(row, width)]
        self._text = text[: len(text) - len(open_row)]
        return [*self._lines, *_row(open_row, width)]


_grown = _Grown()
"""Only a matter of speed, never of what is drawn."""


def _row(text: str, width: int) -> list[Line]:
    return indented(ornament(wrap_text(text, width, "dim"), Span("  │ ", "gutter")))
