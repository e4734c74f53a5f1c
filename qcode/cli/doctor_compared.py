"""Two examinations side by side: what both looked at, and what is otherwise."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from qcode.doctor.base import Measure
from qcode.doctor.report import Report, told
from qcode.headless.talk import wrapped
from qcode.protocol.text import one_line

WIDTH = 80
_CELL = 20
_NOISE = 0.1
"""Share by which a measured figure may differ and be called the same."""
_LEAST_SECONDS = 0.2
"""Less is no difference in a time."""
_UNITS = {
    "_per_second": ", per second",
    "_seconds": ", seconds",
    "_tokens": ", tokens",
    "_bytes": ", bytes",
    "_ratio": ", ratio",
}


def table(before: Report, after: Report) -> str:
    """That of the file first. Rows that changed have a star; what only one of them looked at is
    named below. Ends with a newline."""
    if after.server is None or not after.checks or not before.checks:
        return "nothing to compare: of one of the two no server was examined\n"
    old, new = told(before), told(after)
    checks = [name for name in _checks(before) if name in _checks(after)]
    rows = [row for check in checks for row in _rows(check, old, new)]
    if not rows:
        return f"nothing to compare: they have no check in common\n{_alone(before, after)}"
    width = max(len(name) for name, _, _, _ in rows) + 2
    heads = [("", *pair, False) for pair in zip(_head(before), _head(after), strict=True)]
    lines = [
        f"{'*' if changed else ' '} {name:<{width}}{left:>{_CELL}}  {right:>{_CELL}}".rstrip()
        for name, left, right, changed in (*heads, *rows)
    ]
    legend = "* = otherwise than before (rates and times: by more than 10 %)"
    return "\n".join((*lines, legend, _alone(before, after)))


def _head(report: Report) -> tuple[str, str, str]:
    seen = report.server
    where = urlsplit(seen.base_url).netloc if seen else ""
    model = seen.model.rpartition("/")[2] if seen else ""
    return one_line(where, _CELL), report.date[:16].replace("T", " "), one_line(model, _CELL)


def _rows(
    check: str, old: Mapping[str, Measure], new: Mapping[str, Measure]
) -> Iterator[tuple[str, str, str, bool]]:
    names = [name for name in dict.fromkeys((*old, *new)) if _check_of(name) == check]
    for name in names:
        left, right = old.get(name), new.get(name)
        if left is not None or right is not None:
            yield readable(name), _cell(left), _cell(right), is_otherwise(name, left, right)


def readable(name: str) -> str:
    """`rates.short_read_per_second` -> `rates: short read, per second`; a check stays itself."""
    check, dot, figure = name.partition(".")
    for ending, unit in _UNITS.items():
        if figure.endswith(ending) and figure != ending:
            figure = figure.removesuffix(ending) + unit
            break
    return f"{check}: {figure.replace('_', ' ')}" if dot else check


def is_otherwise(name: str, left: Measure, right: Measure) -> bool:
    """Whether two figures differ by more than measuring them does."""
    is_number = isinstance(left, float) or isinstance(right, float)
    if not is_number or not isinstance(left, int | float) or not isinstance(right, int | float):
        return left != right
    apart = abs(left - right)
    if name.endswith("seconds") and apart < _LEAST_SECONDS:
        return False
    return apart > _NOISE * max(abs(left), abs(right))


def _cell(value: Measure) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
    return one_line(value, _CELL)


def _checks(report: Report) -> tuple[str, ...]:
    return tuple(result.probe for result in report.checks)


def _check_of(name: str) -> str:
    return name.partition(".")[0]


def _alone(before: Report, after: Report) -> str:
    old, new = _checks(before), _checks(after)
    lines = (
        ("only before", [name for name in old if name not in new]),
        ("only now", [name for name in new if name not in old]),
    )
    said = "; ".join(f"{when}: {', '.join(names)}" for when, names in lines if names)
    return wrapped(said, WIDTH, "  ") + "\n" if said else ""
