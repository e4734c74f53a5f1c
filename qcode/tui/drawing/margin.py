"""What stands left of lines: indents, bars, marks."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from qcode.protocol.cells import cells
from qcode.tui.lines import BLANK, Line, Span

INDENT = Span("   ")
"""Everything but the person's own words stands so far in."""


def ornament(lines: Iterable[Line], first: Span, rest: Span | None = None) -> list[Line]:
    """Lines behind a margin that is never copied."""
    return [_behind(first if not at else rest or first, line) for at, line in enumerate(lines)]


def hang(lines: Sequence[Line], first: Span) -> list[Line]:
    """Lines behind a mark that belongs to the text, such as `- `; the others hang below it."""
    blanks = Span(" " * cells(first.text))
    made = []
    for at, line in enumerate(lines):
        if at and not line.spans:
            made.append(line)
        elif line.skip or line.joins != "\n":
            made.append(_behind(first if not at else blanks, line))
        else:
            made.append(replace(line, spans=(first if not at else blanks, *line.spans)))
    return made


def indented(lines: Iterable[Line]) -> list[Line]:
    """Lines where the answer stands."""
    return [_behind(INDENT, line) if line.spans else line for line in lines]


def apart(*groups: Sequence[Line]) -> list[Line]:
    """The groups, a blank line between those that have lines."""
    made: list[Line] = []
    for group in groups:
        made += [BLANK, *group] if made and group else group
    return made


def _behind(mark: Span, line: Line) -> Line:
    return replace(line, spans=(mark, *line.spans), skip=line.skip + cells(mark.text))
