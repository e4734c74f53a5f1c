"""The rows of a hunk in the colours of their language. Pure.

Each side of a hunk is read whole, once: what stands in a string of three rows is a string. What
began above the hunk is not known. Where a row changed, its sign and its ground say so still.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from qcode.tui.drawing.highlight import Row, highlight, language_of
from qcode.tui.drawing.wrap import cut
from qcode.tui.lines import Span
from qcode.workspace.review import Mark

MOST_CHARACTERS = 12_000
"""Of the hunks around the one at hand together, some screens full; more would be felt."""

_FILES = 20
_GROUNDS = {" ": "", "-": "remove ", "+": "add "}


def ready(paths: Iterable[str]) -> None:
    """Load the lexers of some of these files, beside the event loop: 0.1 s for the first."""
    for name in sorted({language_of(path) for path in islice(paths, _FILES)}):
        highlight("x = 1\n", name)


def coloured(
    marks: Sequence[Mark], rows: Sequence[Sequence[Span]], language: str
) -> list[list[Span]]:
    """The rows, each of a side or of both; words that are set off stay as they are."""
    texts = ["".join(span.text for span in row) for row in rows]
    made = [list(row) for row in rows]
    for hidden in ("+", "-"):  # context has the colours of the new side
        places = [at for at, mark in enumerate(marks) if mark != hidden]
        side = _lexed("\n".join([*(texts[at] for at in places), ""]), language)
        for at, syntax in zip(places, side, strict=False):
            if "".join(span.text for span in syntax) == texts[at]:
                made[at] = [*_laid(rows[at], syntax, _GROUNDS[marks[at]])]
    return made


@lru_cache(256)
def _lexed(code: str, language: str) -> list[Row]:
    return highlight(code, language)


def _laid(row: Sequence[Span], syntax: Row, ground: str) -> Iterator[Span]:
    at = 0
    for span in row:
        end = at + len(span.text)
        if ".word" in span.style:
            yield span
        else:
            for piece in cut(syntax, at, end):
                yield Span(piece.text, f"{ground}{piece.style}")
        at = end
