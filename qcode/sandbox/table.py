"""What the trials found, promise by fence: for a terminal and for docs/security.md."""

from collections.abc import Iterable, Iterator, Mapping
from textwrap import wrap

from qcode.sandbox.promises import PROMISES
from qcode.sandbox.trial import Trial

Tried = Mapping[str, Trial]
"""Name of a fence -> what came of trying it."""


def text(tried: Tried, columns: int = 200) -> str:
    """In a table as wide as `columns` allow, with what was broken below it."""
    width = max(map(len, PROMISES.values()))
    width = min(width, max(columns - 12 * len(tried), 30))
    rows = [f"{'promise':<{width}}  " + _columns(tried)]
    for promise, words in PROMISES.items():
        first, *more = wrap(words, width)
        verdicts = (one.verdict(promise) for one in tried.values())
        rows += [f"{first:<{width}}  " + _columns(verdicts), *(f"  {line}" for line in more)]
    rows += [f"{name}: {said}" for name, one in tried.items() for said in _said(one)]
    return "\n".join(row.rstrip() for row in rows) + "\n"


def markdown(tried: Tried) -> str:
    """As a table; a fence that could not be tried has a column all the same."""
    rows = [
        ("promise", *tried),
        ("---", *("---" for _ in tried)),
        *(
            (words, *(one.verdict(promise) for one in tried.values()))
            for promise, words in PROMISES.items()
        ),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _columns(cells: Iterable[str]) -> str:
    return "  ".join(f"{cell:<10}" for cell in cells)


def _said(one: Trial) -> Iterator[str]:
    """Why it was not tried, and what was broken that this fence does promise."""
    if one.why:
        yield one.why
    for promise, how in one.broken.items():
        if promise not in one.weaker:
            yield f"{PROMISES.get(promise, promise)}: {how}"
