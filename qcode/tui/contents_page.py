"""What fills the window, as a bar and a table. Pure."""

from collections.abc import Iterator

from qcode.engine.contents import KINDS, Contents
from qcode.protocol.cells import pad
from qcode.tui.drawing.words import short
from qcode.tui.drawing.wrap import clip
from qcode.tui.lines import BLANK, Line, Span, line

NAME_CELLS = 28
_SIGNS = dict(zip(KINDS, "█▓▒█▓▒█▓▒█", strict=True))
_STYLES = dict(
    zip(
        KINDS,
        (
            *("syntax.keyword", "syntax.keyword", "syntax.keyword"),
            *("accent", "accent", "syntax.string", "syntax.string"),
            *("syntax.number", "syntax.number", "syntax.type"),
        ),
        strict=True,
    )
)
"""Told apart by sign as well as by colour, for screens that have none."""
_FREE = "░"


def contents_lines(held: Contents, width: int) -> tuple[Line, ...]:
    """The sum, the bar, a row for each kind, what is free."""
    rows = (_sum(held), BLANK, _bar(held, width), BLANK, *_table(held), BLANK, _how(held))
    return tuple(line(*clip(row.spans, width)) for row in rows)


def _sum(held: Contents) -> Line:
    most = held.context_tokens
    of = f" of {most:,} tokens, {100 * held.total / most:.0f} %" if most else " tokens"
    return line(Span(f" ~{held.total:,}{of}", "strong"))


def _bar(held: Contents, width: int) -> Line:
    room = max(width - 2, 1)
    whole = max(held.context_tokens or held.total, held.total, 1)
    spans, done, drawn = [], 0, 0
    for kind, tokens in held.shares.items():
        done += tokens
        end = min(room, round(room * done / whole))
        spans.append(Span(_SIGNS[kind] * (end - drawn), _STYLES[kind]))
        drawn = max(drawn, end)
    return line(Span(" "), *spans, Span(_FREE * (room - drawn), "bar.empty"))


def _table(held: Contents) -> Iterator[Line]:
    for kind, tokens in held.shares.items():
        yield _row(Span(f" {_SIGNS[kind]} ", _STYLES[kind]), kind, tokens, held)
    if held.free is not None:
        yield _row(Span(f" {_FREE} ", "bar.empty"), "free", held.free, held)


def _row(sign: Span, name: str, tokens: int, held: Contents) -> Line:
    whole = held.context_tokens or held.total
    share = f"{100 * tokens / whole:5.1f} %" if whole else ""
    return line(
        sign, Span(pad(name, NAME_CELLS)), Span(f"{short(tokens):>6}"), Span(f" {share}", "dim")
    )


def _how(held: Contents) -> Line:
    how = "the server's count, shared out by estimate" if held.counted else "an estimate"
    return line(Span(f" {how}", "faint"))
