"""What a block looks like, as data: lines of styled text. Pure; nothing here knows Textual.

Styles are names; `themes` says which colours they have. Several names, separated by a blank, are
laid over one another from left to right: `"dim add"`.
"""

from typing import Literal, NamedTuple

import msgspec

from qcode.protocol.cells import cells

STYLES = (
    *("text", "dim", "faint", "accent", "strong", "emphasis", "strike", "heading", "link"),
    *("code", "code.inline", "quote", "rule", "prompt", "cursor", "selection", "match"),
    *("ok", "warning", "error", "add", "add.word", "remove", "remove.word", "gutter", "focus"),
    *("mode.plan", "mode.ask", "mode.edit", "mode.auto", "bar", "bar.empty", "surface"),
    *("syntax.keyword", "syntax.name", "syntax.string", "syntax.number", "syntax.comment"),
    *("syntax.operator", "syntax.type", "syntax.error"),
)
"""Every name that a span may carry."""


class Span(NamedTuple):
    """A piece of a line in one style. Its text has no control sequences and no line ends."""

    text: str
    style: str = "text"
    link: str = ""
    """Where a click leads; empty = nowhere."""


class Line(msgspec.Struct, frozen=True):
    """One row of the screen."""

    spans: tuple[Span, ...] = ()
    skip: int = 0
    """So many cells at the left are ornament (margin, bar, line numbers): they are never copied."""
    joins: Literal["\n", " ", ""] = "\n"
    """What stands between the line above and this one in the text itself: a blank or nothing
    where the row only goes on what was too long for one."""

    @property
    def text(self) -> str:
        """All of it, ornament too."""
        return "".join(span.text for span in self.spans)

    @property
    def width(self) -> int:
        """In cells."""
        return sum(cells(span.text) for span in self.spans)

    def link_at(self, x: int) -> str:
        """Where that character leads; empty = nowhere."""
        at = 0
        for span in self.spans:
            at += len(span.text)
            if x < at:
                return span.link
        return ""


BLANK = Line()


def line(*spans: Span | str, skip: int = 0) -> Line:
    """A line of these spans; a bare string is plain text."""
    return Line(tuple(Span(one) if isinstance(one, str) else one for one in spans), skip)
