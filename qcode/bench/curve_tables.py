"""A curve, and two side by side, as text for a terminal of 80 columns."""

from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

import msgspec

from qcode.bench.curve import Curve, Point
from qcode.bench.plot import FINE, Signs, plot, short
from qcode.bench.stats import Change, change, spread
from qcode.protocol.text import one_line

KINDS: tuple[tuple[str, str], ...] = (("reading", "tokens/s"), ("writing", "tokens/s"))
"""What is compared and drawn: fields of `Point`."""
_NO_RATE = "not told"
_CACHED_SHARE = 0.05
_ENOUGH = 5
"""Requests a length, from which on Student's factor is near what it is for many."""
_WIDE = 0.1
_RESTLESS = 0.2
"""A spread that no quiet machine has."""


def curve_text(curve: Curve, signs: Signs = FINE) -> str:
    """Heading, table, two plots; ends with a newline."""
    parts = ["".join(_heading(curve)), "".join(_rows(curve))]
    for name, unit in KINDS:
        if drawn := plot([_medians(curve, name)], signs):
            parts.append(f"{name}, {unit}, over tokens of prompt\n{drawn}")
    return "\n".join(parts) + "".join(_remarks(curve))


def _heading(curve: Curve) -> Iterator[str]:
    yield f"{one_line(curve.server, 40)} at {one_line(curve.base_url, 60)}\n"
    yield f"  model    {one_line(curve.model, 68)}\n"
    told = [f"{name} {value}" for name, value in curve.told.items()]
    if curve.context_tokens:
        told.insert(0, f"{curve.context_tokens:,} tokens")
    if told:
        yield f"  context  {one_line('; '.join(told), 68)}\n"
    if curve.note:
        yield f"  note     {one_line(curve.note, 68)}\n"
    yield f"  measured {curve.date}\n"


def _rows(curve: Curve) -> Iterator[str]:
    rates = f"{'reading, tokens/s':>19}  {'writing, tokens/s':>19}"
    yield f"{'prompt':>9}  {rates}  {'first token':>12}   n\n"
    for it in curve.points:
        first = f"{median(it.first_seconds):,.2f} s" if it.first_seconds else _NO_RATE
        rates = "".join(f"  {_rate(values):>19}" for values in (it.reading, it.writing))
        yield f"{_tokens(it):>9,}{rates}  {first:>12}  {_count(it):>2}\n"


def _tokens(point: Point) -> int:
    return round(median(point.prompt_tokens)) if point.prompt_tokens else point.asked_tokens


def _count(point: Point) -> int:
    return max(len(point.reading), len(point.writing), len(point.first_seconds))


def _rate(values: Sequence[float]) -> str:
    if not values:
        return _NO_RATE
    noise = spread(values)
    return short(median(values)) + (f" ±{_percent(noise):>6}" if noise is not None else " " * 8)


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _medians(curve: Curve, name: str) -> dict[float, float]:
    """Length -> rate."""
    return {it.asked_tokens: median(rates) for it in curve.points if (rates := getattr(it, name))}


def _remarks(curve: Curve) -> Iterator[str]:
    if curve.points:
        yield "\nmedian ± half of the range; each prompt was new to the server\n"
    widest = max((spread(rates) or 0.0 for it in curve.points for rates in _all(it)), default=0.0)
    if widest > _RESTLESS:
        yield f"  up to ±{_percent(widest)}: is something else at work on that machine?\n"
    for it in curve.points:
        if it.cached_tokens > _CACHED_SHARE * _tokens(it):
            yield f"  {_tokens(it):,}: the server remembered {it.cached_tokens:,} all the same\n"
    for gap in curve.left_out:
        yield f"  {gap.asked_tokens:,} left out: {one_line(gap.because, 100)}\n"


def _all(point: Point) -> tuple[tuple[float, ...], ...]:
    return point.reading, point.writing


Row = tuple[Point, Point]


def both(old: Curve, new: Curve) -> list[Row]:
    """The lengths that both have."""
    later = {it.asked_tokens: it for it in new.points}
    return [(it, later[it.asked_tokens]) for it in old.points if it.asked_tokens in later]


def comparison_text(old: Curve, new: Curve, signs: Signs = FINE) -> str:
    """Both side by side, and whether a change is beyond noise; ends with a newline."""
    first, second = signs.marks
    parts = [
        f"{first} A  {one_line(old.title, 74)}\n{_origin(old)}"
        f"{second} B  {one_line(new.title, 74)}\n{_origin(new)}{''.join(_unlike(old, new))}"
    ]
    for name, unit in KINDS:
        table = "".join(_compared(both(old, new), name))
        drawn = plot([_medians(old, name), _medians(new, name)], signs)
        if table or drawn:
            parts.append(f"{name}, {unit}\n{table}\n{drawn}")
    return "\n".join(parts) + "".join(_unmatched(old, new))


def _origin(curve: Curve) -> str:
    return f"     {one_line(curve.base_url, 48)}, measured {curve.date}\n"


def _unlike(old: Curve, new: Curve) -> Iterator[str]:
    """How the two were started otherwise, and what of it was asked otherwise."""
    one, other = _facts(old), _facts(new)
    for name in {**one, **other}:
        if one.get(name) != other.get(name):
            values = f"A {one.get(name, _NO_RATE)}, B {other.get(name, _NO_RATE)}"
            yield f"     unlike: {one_line(f'{name} {values}', 66)}\n"


def _facts(curve: Curve) -> dict[str, str]:
    context = f"{curve.context_tokens:,} tokens" if curve.context_tokens else _NO_RATE
    asked = f"{curve.generated_tokens} tokens"
    return {"context": context, **curve.told, "answers": asked}


def _compared(rows: Sequence[Row], name: str) -> Iterator[str]:
    for number, (old, new) in enumerate(rows):
        if number == 0:
            yield f"{'prompt':>9}  {'A':>16}  {'B':>16}  {'B to A':>18}\n"
        values, others = getattr(old, name), getattr(new, name)
        found = change(values, others)
        yield f"{old.asked_tokens:>9,}  {_rate(values):>16}  {_rate(others):>16}  {_told(found)}\n"


def _told(found: Change | None) -> str:
    if found is None:
        return f"{_NO_RATE:>18}"
    noise = "" if found.noise is None else f" ±{_noise(found.noise)}"
    return f"{f'{found.of_medians * 100:+.1f} %{noise}':>18}  {verdict(found)}"


def _noise(share: float) -> str:
    return _percent(share) if share < 10 else ">999 %"


def verdict(found: Change) -> str:
    """In words."""
    if found.noise is None:
        return "n too small"
    if not found.is_proven:
        return "in the noise"
    return "faster" if found.share > 0 else "slower"


def _fewest(old: Curve, new: Curve) -> int:
    """Requests behind a figure, of those that are compared."""
    counts = [len(getattr(it, name)) for row in both(old, new) for it in row for name, _ in KINDS]
    return min(filter(None, counts), default=_ENOUGH)


def _is_open(old: Curve, new: Curve) -> bool:
    """Whether a change may be larger than what noise there is lets one see."""
    pairs = [(getattr(a, name), getattr(b, name)) for a, b in both(old, new) for name, _ in KINDS]
    found = filter(None, (change(values, others) for values, others in pairs))
    return any(it.noise is None or it.noise > _WIDE for it in found)


def _unmatched(old: Curve, new: Curve) -> Iterator[str]:
    yield "\n± is how far a change may be off, 95 %; under 2 % counts as noise\n"
    fewest = _fewest(old, new)
    if fewest < _ENOUGH and _is_open(old, new):
        times = "request" if fewest == 1 else "requests"
        yield f"  {fewest} {times} a length prove little: --repeat {_ENOUGH} narrows the ±\n"
    for word, one, other in (("A", old, new), ("B", new, old)):
        there = {it.asked_tokens for it in other.points}
        alone = [f"{it.asked_tokens:,}" for it in one.points if it.asked_tokens not in there]
        if alone:
            yield f"  only {word} has {', '.join(alone)}\n"


def comparison_data(old: Curve, new: Curve) -> dict[str, Any]:
    """The same for scripts."""
    as_data: Callable[[Curve], Any] = msgspec.to_builtins
    return {
        "a": as_data(old),
        "b": as_data(new),
        "changes": [
            {"asked_tokens": one.asked_tokens}
            | {name: _as_data(change(getattr(one, name), getattr(two, name))) for name, _ in KINDS}
            for one, two in both(old, new)
        ],
    }


def _as_data(found: Change | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {**msgspec.to_builtins(found), "proven": found.is_proven, "verdict": verdict(found)}
