"""A line of spans -> what Textual puts on the screen: a strip, in the colours of the palette."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

from qcode.protocol.text import plain, well_formed
from qcode.tui.lines import Line, Span

Paint = Callable[[str], Style]
"""Names of styles, as in `lines.STYLES` -> the style."""

_NARROW = re.compile(
    "[ -~\xa0-\xac\xae-\u02ff\u0370-\u0482\u2010-\u2026\u2190-\u2193"
    "\u2500-\u25fc\u276f\u2713\u2717]*"
)
"""Signs that take one cell on every terminal; where others stand, columns may differ from ours."""


class Mark(NamedTuple):
    """A style laid over part of a line, counted in characters."""

    start: int
    end: int
    style: str


@dataclass(frozen=True, slots=True)
class Brush:
    """All that decides how a line looks, besides the line."""

    paint: Paint
    base: Style
    """The widget's own; under every span and to the right of the line."""
    filters: Sequence[LineFilter]
    """The app's: for terminals with few colours or none."""
    background: Color
    width: int
    _styles: dict[str, Style] = field(default_factory=dict, compare=False)

    def style(self, name: str) -> Style:
        """The whole style of a span of that name."""
        found = self._styles.get(name)
        if found is None:
            found = self._styles[name] = self.base + self.paint(name)
        return found

    def fill(self, cells: int) -> Strip:
        """So many blanks."""
        return self.seen(Strip([Segment(" " * cells, self.base)], cells))

    def seen(self, strip: Strip) -> Strip:
        """Through the filters."""
        for one in self.filters:
            strip = strip.apply_filter(one, self.background)
        return strip


class Painted(NamedTuple):
    """A row, ready for the screen."""

    text: Strip
    """Without the blanks to its right."""
    strip: Strip
    """As wide as the screen."""
    narrow: bool
    """Every sign takes one cell for sure."""


def painted(line: Line, marks: Sequence[Mark], brush: Brush) -> Painted:
    """The row of that line; what is too wide is cut off."""
    segments = (Segment(text, brush.style(name)) for text, name in _pieces(line.spans, marks))
    text = Strip(Segment.simplify(segments))
    if text.cell_length > brush.width:
        text = text.crop(0, brush.width)
    text = brush.seen(text)
    left = brush.width - text.cell_length
    whole = Strip([*text, *brush.fill(left)], brush.width) if left else text
    return Painted(text, whole, bool(_NARROW.fullmatch(text.text)))


def strip(line: Line, paint: Paint, base: Style) -> Strip:
    """A line on `base`, as long as it is."""
    return Strip([Segment(one.text, base + paint(one.style)) for one in line.spans if one.text])


def filled(line: Line, paint: Paint, base: Style, width: int) -> Strip:
    """The same, filled or cut to so many cells."""
    return strip(line, paint, base).adjust_cell_length(width, base)


def _pieces(spans: Iterable[Span], marks: Sequence[Mark]) -> Iterable[tuple[str, str]]:
    at = 0
    for span in spans:
        text = clean(span.text)
        yield from _cut(text, span.style, at, marks) if marks else ((text, span.style),)
        at += len(text)


def _cut(text: str, style: str, at: int, marks: Sequence[Mark]) -> Iterable[tuple[str, str]]:
    """The pieces of a span that starts at character `at`, with the marks on each."""
    inside = {edge - at for mark in marks for edge in (mark.start, mark.end)}
    edges = sorted({0, len(text)} | {edge for edge in inside if 0 < edge < len(text)})
    for start, end in pairwise(edges):
        over = [mark.style for mark in marks if mark.start <= at + start < mark.end]
        yield text[start:end], " ".join((style, *over))


def clean(text: str) -> str:
    """`text` as it may go to a terminal. Whoever drew it saw to that; this is the second lock."""
    if text.isprintable():
        return text
    return well_formed(plain(text)).replace("\t", " ").replace("\n", " ")


_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
"""Control signs, those that turn a row round, and those that hide in one. They take no cell."""


class Lock(LineFilter):
    """The third lock, for the rows of all widgets: Textual's own, such as its editor, write every
    sign that they hold. Only signs go, not sequences: the cells of the row stay as they are."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """See `LineFilter`."""
        return [
            one
            if one.control or one.text.isprintable()
            else Segment(_UNSEEN.sub("", well_formed(one.text)), one.style)
            for one in segments
        ]


LOCK = Lock()
