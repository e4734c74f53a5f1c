"""The rows above the prompt: what may be completed, or what is searched for."""

from collections.abc import Callable, Sequence

from rich.style import Style
from textual.geometry import Size

from qcode.protocol.cells import cells, fit
from qcode.protocol.text import plain
from qcode.tui.lines import Line, Span
from qcode.tui.prompt.asked import Row
from qcode.tui.widgets.painted import Painted

ROWS = 8
"""At most so many are seen at once."""
_NAME_CELLS = 36


class Strip(Painted):
    """Part of the layout, not over it: nothing of the conversation is hidden by it."""

    def __init__(self, paint: Callable[[str], Style]) -> None:
        super().__init__(paint)
        self._rows: Sequence[Row] = ()
        self._chosen = 0
        self._said: Line | None = None
        self.display = False

    def offer(self, rows: Sequence[Row], chosen: int) -> None:
        """Show these; none = vanish."""
        self._rows, self._chosen, self._said = rows, chosen, None
        self._change(min(len(rows), ROWS))

    def say(self, said: Line) -> None:
        """Show one line."""
        self._rows, self._said = (), said
        self._change(1)

    def hide(self) -> None:
        """Show nothing."""
        self.offer((), 0)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as there are, without drawing them."""
        return 1 if self._said else min(len(self._rows), ROWS)

    def drawn(self, width: int) -> Sequence[Line]:
        """The rows around the chosen one."""
        if self._said:
            return (self._said,)
        first = max(0, min(self._chosen - ROWS // 2, len(self._rows) - ROWS))
        seen = self._rows[first : first + ROWS]
        names = max((cells(row.shown) for row in seen if row.note), default=0)
        names = min(names, _NAME_CELLS)
        return [
            _drawn(row, "focus" if first + number == self._chosen else "", names, width)
            for number, row in enumerate(seen)
        ]

    def _change(self, height: int) -> None:
        """Rows as high as before need no new layout of the screen."""
        same = self.display == bool(height) and self.size.height == height
        self._lines = None
        self.display = bool(height)
        self.refresh(layout=not same)


def _drawn(row: Row, under: str, names: int, width: int) -> Line:
    shown = fit(row.shown, max(8, width - 4))
    spans = [Span("   ", under or "text"), *_marked(shown, row.marks, under)]
    if row.note:
        gap = " " * max(1, names - cells(shown) + 2)
        room = width - 3 - cells(shown) - len(gap)
        spans.append(Span(gap + fit(row.note, max(0, room)), f"dim {under}".strip()))
    if under:  # the whole row, as in a list
        spans.append(Span(" " * (width - sum(cells(span.text) for span in spans)), under))
    return Line(tuple(spans))


def _marked(text: str, marks: Sequence[int], under: str) -> list[Span]:
    """Runs of letters that match, and of those that do not."""
    spans: list[Span] = []
    at = 0
    matching = set(marks)
    while at < len(text):
        start, hit = at, at in matching
        while at < len(text) and (at in matching) == hit:
            at += 1
        style = "match" if hit else "text"
        spans.append(Span(plain(text[start:at]), f"{style} {under}".strip()))
    return spans
