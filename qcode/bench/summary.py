"""What the attempts come to: shares with intervals, and settings compared over the same tasks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, count
from statistics import fmean, median

import msgspec
from msgspec.structs import replace

from qcode.bench.stats import PROVEN, Interval, about_median, holm, sign_test, wilson
from qcode.bench.task import Attempt, Plan


class Row(msgspec.Struct, frozen=True):
    """One setting. Tokens and seconds are of one attempt: the median."""

    name: str
    model: str
    solved: int
    tried: int
    share: Interval
    seconds: float
    about_seconds: Interval | None
    read_tokens: float
    reread_tokens: float
    generated_tokens: float
    restored: int
    """Attempts that changed a test."""


class Pair(msgspec.Struct, frozen=True):
    """Two settings over the tasks that both have tried."""

    first: str
    second: str
    tasks: int
    first_better: int
    """Tasks that the first solved more often."""
    second_better: int
    chance: float
    """Of so uneven a split by accident, corrected for the number of pairs."""
    faster: int
    """Tasks that both solved, and the first in less time."""
    slower: int
    faster_chance: float

    @property
    def is_proven(self) -> bool:
        """In what was solved."""
        return self.chance < PROVEN

    @property
    def is_time_proven(self) -> bool:
        """In seconds."""
        return self.faster_chance < PROVEN


class Summary(msgspec.Struct, frozen=True):
    """All of it, ready to be drawn."""

    plan: Plan
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    cells: Mapping[tuple[str, str], tuple[int, int]]
    """(task, setting) -> solved of tried."""

    @property
    def fewest_unlike(self) -> int:
        """Tasks that have to come out otherwise, all one way, before anything is proven."""
        pairs = max(len(self.pairs), 1)
        return next(it for it in count(1) if sign_test(0, it) * pairs < PROVEN)

    @property
    def is_whole(self) -> bool:
        """Everything was tried."""
        return all(row.tried == len(self.plan.tasks) * self.plan.repeat for row in self.rows)


def summary(plan: Plan, attempts: Iterable[Attempt]) -> Summary:
    """Fold them; attempts of other tasks and settings are left out."""
    ids, names = {it.id for it in plan.tasks}, {it.name for it in plan.settings}
    known = [it for it in attempts if it.task in ids and it.setting in names]
    by_setting = {it.name: [at for at in known if at.setting == it.name] for it in plan.settings}
    cells = {
        (task.id, name): _counted([at for at in tried if at.task == task.id])
        for task in plan.tasks
        for name, tried in by_setting.items()
    }
    rows = tuple(_row(name, tried) for name, tried in by_setting.items())
    return Summary(plan, rows, _pairs(by_setting), cells)


def _counted(attempts: Sequence[Attempt]) -> tuple[int, int]:
    return sum(it.solved for it in attempts), len(attempts)


def _row(name: str, tried: Sequence[Attempt]) -> Row:
    solved, all_tried = _counted(tried)
    seconds = [it.seconds for it in tried]

    def middle(of: Callable[[Attempt], float]) -> float:
        return median(map(of, tried)) if tried else 0.0

    return Row(
        name=name,
        model=next((it.model for it in reversed(tried) if it.model), ""),
        solved=solved,
        tried=all_tried,
        share=wilson(solved, all_tried),
        seconds=middle(lambda it: it.seconds),
        about_seconds=about_median(seconds),
        read_tokens=middle(lambda it: it.read_tokens),
        reread_tokens=middle(lambda it: it.reread_tokens),
        generated_tokens=middle(lambda it: it.generated_tokens),
        restored=sum(bool(it.restored) for it in tried),
    )


def _pairs(by_setting: Mapping[str, Sequence[Attempt]]) -> tuple[Pair, ...]:
    """Each with each; the chances are corrected together, those of time for themselves."""
    found = [
        _pair((first, by_setting[first]), (second, by_setting[second]))
        for first, second in combinations(by_setting, 2)
    ]
    solved = holm([it.chance for it in found])
    faster = holm([it.faster_chance for it in found])
    return tuple(
        _corrected(pair, *chances) for pair, *chances in zip(found, solved, faster, strict=True)
    )


def _corrected(pair: Pair, chance: float, faster_chance: float) -> Pair:
    return replace(pair, chance=chance, faster_chance=faster_chance)


def _pair(one: tuple[str, Sequence[Attempt]], other: tuple[str, Sequence[Attempt]]) -> Pair:
    """By task, so that attempts of one task are not taken for attempts of many. Time is compared
    where both solved it: who gives up at once is not fast."""
    tasks = _both(one[1], other[1])
    solved = [_uneven(_mean(one[1], it, _solved), _mean(other[1], it, _solved)) for it in tasks]
    mine, theirs = ([at for at in tried if at.solved] for tried in (one[1], other[1]))
    slower = [
        _uneven(_mean(mine, it, _seconds), _mean(theirs, it, _seconds))
        for it in _both(mine, theirs)
    ]
    better, worse = solved.count(1), solved.count(-1)
    more, less = slower.count(1), slower.count(-1)
    return Pair(
        first=one[0],
        second=other[0],
        tasks=len(tasks),
        first_better=better,
        second_better=worse,
        chance=sign_test(better, worse),
        faster=less,
        slower=more,
        faster_chance=sign_test(less, more),
    )


def _both(one: Sequence[Attempt], other: Sequence[Attempt]) -> list[str]:
    return sorted({it.task for it in one} & {it.task for it in other})


def _solved(attempt: Attempt) -> float:
    return float(attempt.solved)


def _seconds(attempt: Attempt) -> float:
    return attempt.seconds


def _mean(attempts: Sequence[Attempt], task: str, of: Callable[[Attempt], float]) -> float:
    return fmean(of(it) for it in attempts if it.task == task)


def _uneven(one: float, other: float) -> int:
    return (one > other) - (one < other)
