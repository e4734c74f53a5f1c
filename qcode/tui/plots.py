"""Small plots of block characters. Pure."""

from collections.abc import Sequence
from itertools import pairwise

LEVELS = "▁▂▃▄▅▆▇█"


def plot(values: Sequence[float], width: int, most: float = 0.0) -> str:
    """One row of at most `width` cells; neighbours share a cell when there are more values.

    `most` is what a full cell stands for; 0 = the highest value. 0 and less is a blank.

    >>> plot([1, 4, 8], 10)
    '▁▄█'
    """
    cells = _shared(values, max(width, 1))
    top = max([most, *cells]) if cells else 0.0
    return "".join(_sign(value / top) if value > 0 else " " for value in cells)


def _shared(values: Sequence[float], width: int) -> list[float]:
    """The mean of those that share a cell, where anything was told."""
    if len(values) <= width:
        return list(values)
    edges = [at * len(values) // width for at in range(width + 1)]
    groups = [values[one:two] for one, two in pairwise(edges)]
    told = [[value for value in group if value > 0] for group in groups]
    return [sum(group) / len(group) if group else 0.0 for group in told]


def _sign(share: float) -> str:
    return LEVELS[max(0, min(len(LEVELS) - 1, round(share * len(LEVELS)) - 1))]
