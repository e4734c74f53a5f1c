"""Rows of a terminal -> an SVG that says nothing but what is to be seen.

Textual's own export names its font, its version and random ids, and is five times as large. Here a
row of the terminal is a row of the file, so that `git diff` shows which rows changed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME

from qcode.protocol.cells import cells

WIDE, HIGH, EDGE = 8, 19, 8
"""A cell and the margin, in pixels."""

_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
    'viewBox="0 0 {width} {height}">\n'
    "<style>text{{font:13.3px 'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre;"
    "fill:{fore}}}.b{{font-weight:700}}.i{{font-style:italic}}</style>\n"
    '<rect width="100%" height="100%" fill="{back}"/>\n'
)
_APART = re.compile(r" {3,}")


def svg(rows: Sequence[Iterable[Segment]], width: int, colours: tuple[str, str]) -> str:
    """`colours`: foreground and background, which need no words in each row."""
    fore, back = colours
    size = {"width": width * WIDE + 2 * EDGE, "height": len(rows) * HIGH + 2 * EDGE}
    drawn = [_row(segments, y, colours) for y, segments in enumerate(rows)]
    return _HEAD.format(**size, fore=fore, back=back) + "".join(drawn) + "</svg>\n"


def _row(segments: Iterable[Segment], y: int, colours: tuple[str, str]) -> str:
    grounds: list[str] = []
    words: list[str] = []
    x = 0
    top = EDGE + y * HIGH
    for text, style in _runs(segments):
        fore, back = _inks(style, colours)
        wide = cells(text)
        if back != colours[1]:
            place = f'x="{EDGE + x * WIDE}" y="{top}" width="{wide * WIDE}" height="{HIGH}"'
            grounds.append(f'<rect {place} fill="{back}"/>')
        words += _words(text, x, fore if fore != colours[0] else "", style)
        x += wide
    line = f'<text y="{top + 14}">{"".join(words)}</text>' if words else ""
    return "".join(grounds) + line + "\n"


def _runs(segments: Iterable[Segment]) -> Iterator[tuple[str, Style]]:
    for segment in Segment.simplify(segments):
        if segment.text and not segment.control:
            yield segment.text, segment.style or Style.null()


def _inks(style: Style, colours: tuple[str, str]) -> tuple[str, str]:
    fore, back = colours
    if style.color and not style.color.is_default:
        fore = style.color.get_truecolor(DEFAULT_TERMINAL_THEME).hex
    if style.bgcolor and not style.bgcolor.is_default:
        back = style.bgcolor.get_truecolor(DEFAULT_TERMINAL_THEME, foreground=False).hex
    return (back, fore) if style.reverse else (fore, back)


def _words(text: str, x: int, fore: str, style: Style) -> Iterator[str]:
    """The pieces between wide gaps, each at its own column."""
    names = " ".join(name for is_on, name in ((style.bold, "b"), (style.italic, "i")) if is_on)
    looks = (f' class="{names}"' if names else "") + (f' fill="{fore}"' if fore else "")
    looks += ' text-decoration="underline"' if style.underline else ""
    looks += ' text-decoration="line-through"' if style.strike else ""
    gaps = [] if style.underline else list(_APART.finditer(text))
    starts, ends = [0, *(gap.end() for gap in gaps)], [*(gap.start() for gap in gaps), len(text)]
    for start, end in zip(starts, ends, strict=True):
        piece = text[start:end]
        if piece.strip() or (piece and style.underline):
            at = EDGE + (x + cells(text[:start])) * WIDE
            shown = escape(piece, quote=False).replace(" ", "\xa0")
            yield f'<tspan x="{at}"{looks}>{shown}</tspan>'
