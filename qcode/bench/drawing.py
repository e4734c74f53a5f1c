"""Plots of a page, as inline SVG. No scripts; colours are the page's, by class; nothing is said by
colour alone.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape

from qcode.bench.stats import Interval
from qcode.bench.summary import Row, Summary
from qcode.bench.task_tables import amount, percents, seconds
from qcode.protocol.text import one_line

_WIDTH = 760
_LEFT = 14
_VALUES = 136
"""Width of the column of figures."""
_PLOT = _WIDTH - _LEFT - _VALUES
_LINE = 46
"""Height of a row: its name above, what is drawn below."""
_TOP = 30
_LONGEST = 90

Label = Callable[[float], str]


def solved(rows: Sequence[Row]) -> str:
    """The share of each setting with its interval."""
    body = "".join(_axis((0.0, 0.25, 0.5, 0.75, 1.0), 1.0, lambda it: f"{it:.0%}", len(rows)))
    for at, row in enumerate(rows):
        share = row.solved / row.tried if row.tried else None
        label = f"{row.solved}/{row.tried}, {percents(row.share)}"
        body += _name(row, at) + _whisker(row.share, share, 1.0, at) + _value(label, at)
    return _svg(body, len(rows), "Share of tasks solved, with 95 % intervals")


def times(found: Summary, points: Sequence[Sequence[float]]) -> str:
    """Every attempt as a dot, the median with its interval; `points` are seconds by row."""
    top = max((it for row in points for it in row), default=1.0) or 1.0
    ticks = _ticks(top)
    high = max(top, ticks[-1])
    body = "".join(_axis(ticks, high, seconds, len(found.rows)))
    for at, row in enumerate(found.rows):
        y = _y(at)
        body += _name(row, at)
        body += "".join(
            f'<circle class="dot" cx="{_x(it, high):.1f}" cy="{y + _aside(number):.1f}" r="3"/>'
            for number, it in enumerate(points[at])
        )
        middle = row.seconds if row.tried else None
        body += _whisker(row.about_seconds, middle, high, at)
        body += _value(f"{seconds(row.seconds)} s" if row.tried else "not tried", at)
    return _svg(body, len(found.rows), "Seconds of each attempt, with the median")


def tokens(rows: Sequence[Row]) -> str:
    """Tokens of the median attempt: read anew, read again, written; a bar each."""
    top = max((it.read_tokens + it.generated_tokens for it in rows), default=1.0) or 1.0
    ticks = _ticks(top)
    high = max(top, ticks[-1])
    body = "".join(_axis(ticks, high, amount, len(rows)))
    for at, row in enumerate(rows):
        parts = (
            ("new", max(row.read_tokens - row.reread_tokens, 0)),
            ("again", min(row.reread_tokens, row.read_tokens)),
            ("wrote", row.generated_tokens),
        )
        body += _name(row, at) + "".join(_bars(parts, high, at))
        body += _value(f"{amount(row.read_tokens)} + {amount(row.generated_tokens)}", at)
    return _svg(body, len(rows), "Tokens of the median attempt: read, read again, written")


def _bars(parts: Sequence[tuple[str, float]], high: float, at: int) -> Iterator[str]:
    start = 0.0
    for name, value in parts:
        left, right = _x(start, high), _x(start + value, high)
        yield (
            f'<rect class="{name}" x="{left:.1f}" y="{_y(at) - 8}" '
            f'width="{right - left:.1f}" height="16"/>'
        )
        start += value


def _svg(body: str, rows: int, title: str) -> str:
    height = _TOP + rows * _LINE + 8
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>{body}</svg>'
    )


def _axis(ticks: Sequence[float], high: float, label: Label, rows: int) -> Iterator[str]:
    bottom = _TOP + rows * _LINE
    for tick in ticks:
        x = _x(tick, high)
        yield f'<line class="grid" x1="{x:.1f}" y1="{_TOP - 6}" x2="{x:.1f}" y2="{bottom}"/>'
        yield f'<text class="tick" x="{x:.1f}" y="{_TOP - 12}">{escape(_tick(label(tick)))}</text>'


def _tick(text: str) -> str:
    """`0.0` is 0, and `10.0k` is 10k."""
    return text.replace(".0", "") if text.rstrip("kM").endswith(".0") else text


def _whisker(interval: Interval | None, middle: float | None, high: float, at: int) -> str:
    y = _y(at)
    drawn = ""
    if interval is not None:
        low, end = _x(interval.low, high), _x(interval.high, high)
        drawn = f'<path class="whisker" d="M{low:.1f} {y}H{end:.1f}M{low:.1f} {y - 5}V{y + 5}'
        drawn += f'M{end:.1f} {y - 5}V{y + 5}"/>'
    if middle is not None:
        x = _x(middle, high)
        drawn += f'<path class="mark" d="M{x:.1f} {y - 7}l7 7l-7 7l-7 -7z"/>'
    return drawn


def _name(row: Row, at: int) -> str:
    name = escape(one_line(row.name, _LONGEST))
    return f'<text x="{_LEFT}" y="{_y(at) - 14}">{name}</text>'


def _value(text: str, at: int) -> str:
    return f'<text x="{_LEFT + _PLOT + 14}" y="{_y(at) + 4}">{escape(text)}</text>'


def _x(value: float, high: float) -> float:
    return _LEFT + _PLOT * value / high


def _y(at: int) -> int:
    return _TOP + at * _LINE + 30


def _aside(number: int) -> float:
    """Dots of like times do not hide each other: the golden ratio spreads them."""
    return ((number * 0.618) % 1 - 0.5) * 14


def _ticks(top: float) -> tuple[float, ...]:
    """Round steps, from 0 to at least `top`; at most six."""
    raw = top / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(it * power for it in (1, 2, 5, 10) if it * power >= raw)
    return tuple(step * at for at in range(math.ceil(top / step) + 1))
