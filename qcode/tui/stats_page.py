"""The figures of a session as a page of calm text. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from qcode.protocol.cells import cells, pad
from qcode.protocol.text import one_line
from qcode.tui.drawing.words import short
from qcode.tui.drawing.wrap import clip
from qcode.tui.lines import BLANK, Line, Span, line
from qcode.tui.phases import clock
from qcode.tui.plots import plot
from qcode.tui.stats import Stats

NAME_CELLS = 16
MOST_CHARACTERS = 200
WIDE = 72
"""Cells from which on a plot says its lowest and its highest value."""
_MARGIN = Span(" ")


def stats_lines(stats: Stats, width: int) -> tuple[Line, ...]:
    """All of it; what did not happen has no line."""
    if not stats.steps and not stats.turns:
        return (line(_MARGIN, Span("Nothing was asked yet.", "dim")),)
    rows = (
        *_tokens(stats),
        *_rereads(stats),
        *_rates(stats, width),
        *_time(stats),
        *_tools(stats),
        *_mended(stats),
    )
    return tuple(line(*clip(row.spans, width)) for row in rows)


def _row(name: str, value: str, more: str = "") -> Line:
    spans = [_MARGIN, Span(pad(name, NAME_CELLS), "dim"), Span(value)]
    return line(*spans, *((Span(f"  {more}", "faint"),) if more else ()))


def _head(text: str) -> tuple[Line, Line]:
    return BLANK, line(_MARGIN, Span(text, "strong"))


def _tokens(stats: Stats) -> Iterator[Line]:
    yield line(_MARGIN, Span("Tokens", "strong"))
    yield _row("turns", f"{stats.turns:,}", _count(len(stats.steps), "answer"))
    yield _row("read", f"{stats.read:,}")
    whole = stats.read + stats.cached
    share = f"{100 * stats.cached / whole:.1f} % of all prompts" if whole else ""
    yield _row("from the cache", f"{stats.cached:,}", share)
    if stats.ahead:
        saved = f"{stats.ahead_seconds:,.1f} s less to wait"
        yield _row("read ahead", f"{stats.ahead:,}", saved)
    if stats.loading_seconds:
        yield _row("loaded ahead", f"{stats.loading_seconds:,.1f} s")
    if stats.restored:
        yield _row("from the disk", f"{stats.restored:,}", "taken back, not read again")
    yield _row("generated", f"{stats.generated:,}")
    if stats.lost:
        yield _row("lost in loops", f"{stats.lost:,}")


def _rereads(stats: Stats) -> Iterator[Line]:
    yield _row("read again", f"{stats.reread:,}")
    for why, one in sorted(stats.rereads.items(), key=lambda pair: -pair[1].tokens):
        said = f"{one.times}× {one.tokens:,} · {why}"
        yield line(Span("   "), Span(one_line(said, MOST_CHARACTERS), "dim"))


def _rates(stats: Stats, width: int) -> Iterator[Line]:
    reads = [step.read_rate for step in stats.steps]
    writes = [step.write_rate for step in stats.steps]
    held = [float(step.prompt + step.generated) for step in stats.steps]
    if any((*reads, *writes, *held)):
        yield from _head("Answer by answer")
    if any(reads):
        yield _plotted("reading", reads, 0.0, _rate(reads, width), width)
    if any(writes):
        yield _plotted("writing", writes, 0.0, _rate(writes, width), width)
    if any(held):
        most = stats.context_tokens
        said = short(round(held[-1])) + (f" of {short(most)}" if most else "")
        yield _plotted("context", held, float(most or 0), said, width)


def _rate(values: Sequence[float], width: int) -> str:
    known = [value for value in values if value > 0]
    span = f", {min(known):,.0f} to {max(known):,.0f}" if width >= WIDE else ""
    return f"{known[-1]:,.0f} tok/s{span}"


def _plotted(name: str, values: Sequence[float], most: float, said: str, width: int) -> Line:
    room = max(width - NAME_CELLS - cells(said) - 4, 8)
    drawn = Span(plot(values, room, most), "bar")
    return line(_MARGIN, Span(pad(name, NAME_CELLS), "dim"), drawn, Span(f"  {said}", "faint"))


def _time(stats: Stats) -> Iterator[Line]:
    spent = stats.seconds
    rows = (
        ("reading", spent.reading),
        ("thinking", spent.thinking),
        ("writing", spent.writing),
        ("tools", spent.tools),
    )
    whole = sum(seconds for _, seconds in rows)
    if not whole:
        return
    yield from _head("Time")
    for name, seconds in rows:
        yield _row(name, f"{clock(seconds):>8}", f"{100 * seconds / whole:3.0f} %")


def _tools(stats: Stats) -> Iterator[Line]:
    if not stats.tools:
        return
    yield from _head("Tools")
    for name, used in sorted(stats.tools.items(), key=lambda pair: -pair[1].calls):
        failed = f"  {used.failed} failed" if used.failed else ""
        yield _row(name, f"{_count(used.calls, 'call'):>9}", f"{clock(used.seconds)}{failed}")


def _mended(stats: Stats) -> Iterator[Line]:
    rows = [
        ("repairs", stats.repairs.total(), _kinds(stats.repairs)),
        ("retries", stats.retries, ""),
        ("loops", stats.loops, ""),
        ("thinking ended", stats.closed.total(), _kinds(stats.closed)),
        ("room made", stats.rooms, ""),
    ]
    told = [row for row in rows if row[1]]
    if told:
        yield from _head("Mended on the way")
    for name, count, kinds in told:
        yield _row(name, f"{count:,}", kinds)


def _kinds(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count}× {kind.replace('_', ' ')}" for kind, count in counts.items())


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
