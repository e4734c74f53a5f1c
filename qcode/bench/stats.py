"""The statistics of small samples, as pure functions. None of them looks at a clock or at chance,
so that the same results give the same report."""

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, median, variance

import msgspec

PROVEN = 0.05
"""A difference with a smaller chance of being an accident is called proven."""
SMALLEST = 0.02
"""Relative change below which no measuring of a busy machine is believed."""
LEAST_VALUES = 6
"""For a median with 95 %: 2 / 2 ** 6 is the first below 5 %."""

_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16)
"""Student's t at 97.5 % for 1, 2, … degrees of freedom (NIST/SEMATECH handbook, 1.3.6.7.2)."""


class Interval(msgspec.Struct, frozen=True):
    """From `low` to `high`, both of them included."""

    low: float
    high: float


def wilson(solved: int, tried: int, confidence: float = 0.95) -> Interval:
    """Where the true share lies, by Wilson's score; of nothing tried it is anywhere."""
    if not tried:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = solved / tried, z * z / tried
    middle = share + spread / 2
    reach = z * math.sqrt(share * (1 - share) / tried + spread / (4 * tried))
    # the ends are 0 and 1 for none and all; rounding must not move them past the share
    low = 0.0 if solved == 0 else (middle - reach) / (1 + spread)
    high = 1.0 if solved == tried else (middle + reach) / (1 + spread)
    return Interval(max(0.0, min(low, share)), min(1.0, max(high, share)))


def sign_test(better: int, worse: int) -> float:
    """How likely at least so uneven a split is where neither is better; exact, two-sided.

    Over pairs of one attempt each it is McNemar's exact test.
    """
    tried = better + worse
    tail = sum(math.comb(tried, at) for at in range(min(better, worse) + 1))
    return min(1.0, tail / 2 ** (tried - 1)) if tried else 1.0


def mcnemar(pairs: Sequence[tuple[bool, bool]]) -> float:
    """The same, from what two settings came to on the same tasks."""
    first = sum(one and not other for one, other in pairs)
    second = sum(other and not one for one, other in pairs)
    return sign_test(first, second)


def holm(chances: Sequence[float]) -> tuple[float, ...]:
    """Each chance corrected for there being several, by Holm's method; in the order given."""
    order = sorted(range(len(chances)), key=chances.__getitem__)
    corrected = [0.0] * len(chances)
    highest = 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, chances[at] * (len(chances) - rank)))
        corrected[at] = highest
    return tuple(corrected)


def about_median(values: Sequence[float]) -> Interval | None:
    """Where the median of all that could be measured lies with 95 % or a little more: between two
    of the values, by the sign test turned round. None for fewer than `LEAST_VALUES`, of which even
    the least and the most together do not hold it so surely."""
    ordered, count = sorted(values), len(values)
    outside = sum(sign_test(at, count - at) <= PROVEN for at in range(count // 2))
    return Interval(ordered[outside - 1], ordered[-outside]) if outside else None


def spread(values: Sequence[float]) -> float | None:
    """Half of what lies between the least and the most, as a share of the median; None = one value
    has no spread, nor have values around 0."""
    middle = median(values) if values else 0.0
    if len(values) < 2 or middle <= 0:
        return None
    return (max(values) - min(values)) / 2 / middle


class Change(msgspec.Struct, frozen=True):
    """From one sample of a rate to another. Shares: 0.1 is a tenth more."""

    share: float
    """Of the geometric means: what the noise belongs to, and what is judged."""
    noise: float | None
    """How far the share may be off, 95 %; None = too few values to know."""
    of_medians: float
    """The same of the medians: what stands beside them."""

    @property
    def is_proven(self) -> bool:
        """Beyond noise."""
        return self.noise is not None and abs(self.share) > max(self.noise, SMALLEST)


def change(before: Sequence[float], after: Sequence[float]) -> Change | None:
    """By Welch's interval over the logarithms; None where a side has nothing to compare."""
    if not before or not after or min(*before, *after) <= 0:
        return None
    old, new = [math.log(it) for it in before], [math.log(it) for it in after]
    share = math.expm1(fmean(new) - fmean(old))
    of_medians = median(after) / median(before) - 1
    if len(old) < 2 or len(new) < 2:
        return Change(share, None, of_medians)
    parts = (variance(old) / len(old), variance(new) / len(new))
    reach = _student(_freedom(parts, (len(old), len(new)))) * math.sqrt(sum(parts))
    # the wider of the two arms; a sample of two may be wider than a float can hold
    return Change(share, (1 + share) * math.expm1(min(reach, 50.0)), of_medians)


def _freedom(parts: tuple[float, float], counts: tuple[int, int]) -> float:
    """Degrees of freedom after Welch and Satterthwaite."""
    below = sum(part * part / (n - 1) for part, n in zip(parts, counts, strict=True))
    return sum(parts) ** 2 / below if below else float(sum(counts) - 2)


def _student(freedom: float) -> float:
    """The next row of the table below: too wide rather than too narrow."""
    whole = max(1, int(freedom + 1e-9))
    return _T[whole - 1] if whole <= len(_T) else _T[-1]
