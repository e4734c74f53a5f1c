"""What the attempts come to, as text for a terminal of 80 columns and as an object for scripts."""

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import Any

import msgspec

from qcode.bench.stats import LEAST_VALUES, Interval
from qcode.bench.summary import Pair, Row, Summary
from qcode.bench.task import Attempt, Plan
from qcode.protocol.cells import cells
from qcode.protocol.text import one_line

_COLUMNS = 79
_ID = 7
_LEAST_TITLE = 20


def text(found: Summary) -> str:
    """Heading, a row for each setting, the pairs, the tasks; ends with a newline."""
    parts = [_heading(found), "".join(_rows(found))]
    if found.pairs:
        parts.append("".join(_pairs(found)))
    parts.append("".join(_tasks(found)))
    return "\n".join(parts)


def beforehand(plan: Plan, left: int) -> Iterator[str]:
    """What a person should know before so many attempts begin, a sentence each."""
    if not left:
        return
    made = f"{_several(len(plan.tasks), 'task')}, {_several(len(plan.settings), 'setting')}"
    most = left * plan.limits.wall_seconds
    yield (
        f"{_several(left, 'attempt')} ({made}, {plan.repeat} of each), with at most "
        f"{span(plan.limits.wall_seconds)} of work for one: {span(most)} at the very most, and the "
        "tests beside. The first one done tells more."
    )
    if not all(it.gguf for it in plan.settings):
        yield (
            "This takes the place of the conversation that the server has in its cache; the next "
            "turn of a running session is read anew."
        )


def span(value: float) -> str:
    """Of seconds: `45 s`, `15 min`, `4.0 h`."""
    if value < 120:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def heading(found: Summary) -> tuple[str, str]:
    """What was tried, and how it was judged; for people."""
    plan = found.plan
    bugs = sum(it.kind == "bug" for it in plan.tasks)
    made = _joined(_several(bugs, "bug"), _several(len(plan.tasks) - bugs, "commit to redo"))
    name = one_line(plan.repository.rstrip("/").rpartition("/")[2], 30)
    times = f", {plan.repeat} attempts each" if plan.repeat > 1 else ""
    fence = "" if plan.fence == "held" else ", without a fence"
    return f"{made} in {name} at {plan.commit[:8]}{times}{fence}", f"judged by {plan.command}"


def _heading(found: Summary) -> str:
    return "".join(f"{one_line(line, 80)}\n" for line in heading(found))


def _several(count: int, what: str) -> str:
    if not count:
        return ""
    word, _, rest = what.partition(" ")
    many = f"{word}s {rest}".strip() if count > 1 else what
    return f"{count} {many}"


def _joined(*parts: str) -> str:
    return ", ".join(filter(None, parts)) or "no tasks"


def _rows(found: Summary) -> Iterator[str]:
    for number, row in enumerate(found.rows, 1):
        model = f" ({row.model})" if row.model and row.model not in row.name else ""
        yield f"{number:>2} {one_line(f'{row.name}{model}', 76)}\n"
    yield f"\n  {'solved':>8} {'95 %':>10} {'seconds':>10} {'95 %':>14}"
    yield f" {'read':>8} {'again':>8} {'wrote':>8}\n"
    for number, row in enumerate(found.rows, 1):
        solved = f"{row.solved}/{row.tried}"
        tokens = (row.read_tokens, row.reread_tokens, row.generated_tokens)
        yield f"{number:>2} {solved:>7} {percents(row.share):>10} {seconds(row.seconds):>10}"
        yield f" {_about(row.about_seconds):>14} {' '.join(f'{amount(it):>8}' for it in tokens)}\n"
    yield from _remarks(found)


def _remarks(found: Summary) -> Iterator[str]:
    yield "seconds and tokens: the median attempt; tokens read, read again, written\n"
    if any(row.about_seconds is None for row in found.rows):
        yield f"n < {LEAST_VALUES}: fewer attempts hold no range with 95 %; --count makes more\n"
    if found.plan.repeat > 1:
        yield "attempts at one task are alike, so the 95 % of solved is a little too narrow\n"
    for row in found.rows:
        if row.restored:
            times = _several(row.restored, "attempt")
            yield f"{one_line(row.name, 30)} changed tests in {times}; they were put back\n"
    if not found.is_whole:
        yield "not everything was tried\n"


def _pairs(found: Summary) -> Iterator[str]:
    """A row a pair, and in plain words what is proven."""
    numbers = {row.name: at for at, row in enumerate(found.rows, 1)}
    yield f"{'pair':8} {'solved alone by':>16} {'p':>8} {'faster in':>16} {'p':>8}\n"
    for pair in found.pairs:
        names = f"{numbers[pair.first]} and {numbers[pair.second]}"
        alone = f"{pair.first_better} and {pair.second_better}"
        faster = f"{pair.faster} and {pair.slower}"
        yield f"{names:8} {alone:>16} {pair.chance:>8.2g} {faster:>16} {pair.faster_chance:>8.2g}\n"
    for line in verdicts(found):
        yield _filled(line)


def _filled(line: str) -> str:
    return (
        fill(one_line(line, 400), _COLUMNS, subsequent_indent="  ", break_on_hyphens=False) + "\n"
    )


def verdicts(found: Summary) -> Iterator[str]:
    """What the comparison proves, in words; where it proves nothing, that."""
    solving = [pair for pair in found.pairs if pair.is_proven]
    for pair in solving:
        best, other = _ordered(pair, pair.first_better > pair.second_better)
        yield f"proven: {best} solves more than {other}"
    if not solving:
        yield f"no difference in what they solve is proven{_lacking(found)}"
    timed = [pair for pair in found.pairs if pair.is_time_proven]
    for pair in timed:
        best, other = _ordered(pair, pair.faster > pair.slower)
        yield f"proven: {best} is faster than {other}"
    if not timed:
        yield "no difference in seconds is proven"


def _ordered(pair: Pair, is_first: bool) -> tuple[str, str]:  # noqa: FBT001 - which of two is named first
    return (pair.first, pair.second) if is_first else (pair.second, pair.first)


def _lacking(found: Summary) -> str:
    """How much more it takes, where it could not have been proven."""
    unlike = max(pair.first_better + pair.second_better for pair in found.pairs)
    if unlike >= found.fewest_unlike:
        return ""
    return (
        f": at least {found.fewest_unlike} tasks must come out otherwise, all one way "
        "(--count N makes more)"
    )


def _tasks(found: Summary) -> Iterator[str]:
    numbers = "".join(f"{number:>4}" for number in range(1, len(found.rows) + 1))
    width = max(_COLUMNS - _ID - 2 - 4 * len(found.rows), _LEAST_TITLE)
    yield f"{'task':<{_ID + 1 + width}} {numbers}\n"
    for task in found.plan.tasks:
        results = "".join(f"{_cell(found.cells[task.id, row.name]):>4}" for row in found.rows)
        yield f"{_wide(task.id, _ID)} {_wide(task.title, width)} {results}\n"


def _cell(counted: tuple[int, int]) -> str:
    solved, tried = counted
    if tried > 1:
        return f"{solved}/{tried}"
    return ("yes" if solved else "no") if tried else "-"


def _wide(text: str, width: int) -> str:
    """Cut, or filled, to as many cells."""
    short = one_line(text, width)
    return short + " " * max(width - cells(short), 0)


def percents(share: Interval) -> str:
    """`32–81 %`."""
    return f"{share.low * 100:.0f}–{share.high * 100:.0f} %"


def seconds(value: float) -> str:
    """`41.2`, `1,203`."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _about(interval: Interval | None) -> str:
    return (
        f"{seconds(interval.low)}–{seconds(interval.high)}" if interval else f"n < {LEAST_VALUES}"
    )


def amount(tokens: float) -> str:
    """`812`, `12.3k`, `1.2M`."""
    if tokens < 1000:
        return f"{tokens:.0f}"
    value, unit = (tokens / 1e6, "M") if tokens >= 999_500 else (tokens / 1000, "k")
    return f"{value:.0f}{unit}" if value >= 100 else f"{value:.1f}{unit}"


def data(found: Summary, attempts: Sequence[Attempt]) -> dict[str, Any]:
    """All of it, for scripts. Fields are only added."""
    return {
        "plan": msgspec.to_builtins(found.plan),
        "settings": [_row_data(row) for row in found.rows],
        "pairs": [_pair_data(pair) for pair in found.pairs],
        "attempts": [msgspec.to_builtins(it) for it in attempts],
    }


def _row_data(row: Row) -> dict[str, Any]:
    return {**msgspec.to_builtins(row)}


def _pair_data(pair: Pair) -> dict[str, Any]:
    known = msgspec.to_builtins(pair)
    return {**known, "proven": pair.is_proven, "time_proven": pair.is_time_proven}
