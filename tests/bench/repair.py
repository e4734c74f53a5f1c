"""What becomes of answers gone wrong: the corpus of the tests, and the cost of watching for them.

A case is right if tool, arguments, remaining text, reasoning and flaw are, whole and at every cut
of its bytes into two.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median

from qcode.server.reader import Reader
from tests.bench.figure import Figure, counted
from tests.bench.ground import Ground
from tests.server.leaks import HELDOUT, TOOLS, Case, cases, honest, in_each_place, wrong
from tests.server.streams import delta, end, read

DELTAS = 20_000
RUNS = 5


def repair(_: Ground) -> Iterator[Figure]:
    """Cases by failure, honest texts, and CPU."""
    every = (*cases(), *cases(HELDOUT / "leaks.toml"))
    for failure, group in groupby(every, key=lambda case: case.failure):
        rows = list(group)
        right = sum(_is_right(case) for case in rows)
        what = f"repair {failure}: wrong of {len(rows)} cases (each at every cut)"
        yield counted(what, len(rows) - right, "", most=0)
    yield _honest(honest(), "")
    yield _honest(honest(HELDOUT / "honest.toml"), ", held out,")
    for kind, text in (("text", _prose()), ("code", _code()), ("a leaked call", _call())):
        yield Figure(f"CPU of the reader per 1,000 deltas of {kind}", _cost(text), "ms", under=8)


def _is_right(case: Case) -> bool:
    data = case.stream
    whole = read(data, case.reader())
    return not wrong(case, whole) and all(
        _in_two(case, data, at) == whole for at in range(1, len(data))
    )


def _in_two(case: Case, data: bytes, at: int) -> object:
    reader = case.reader()
    reader.feed(data[:at])
    reader.feed(data[at:])
    return reader.finish()


def _honest(texts: Sequence[str], whose: str) -> Figure:
    touched = sum(
        bool(came.repairs or came.message.calls or came.flaw)
        for text in texts
        for _, came, _ in in_each_place(text)
    )
    what = f"false repairs of {len(texts)} honest texts{whose} in 3 places"
    return counted(what, touched, "", most=0)


def _cost(text: str) -> float:
    """Milliseconds per 1,000 deltas of about a token, one event each, a read each."""
    pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
    events = [delta(content=pieces[at % len(pieces)]) for at in range(DELTAS)]
    return median(_run(events) for _ in range(RUNS)) * 1e6 / DELTAS


def _run(events: list[bytes]) -> float:
    reader = Reader("on", tools=TOOLS)
    began = time.process_time()
    for one in events:
        reader.feed(one)
    reader.feed(end())
    reader.finish()
    return time.process_time() - began


def _prose() -> str:
    return "The parser reads a line at a time. It holds nothing back, as a rule.\n\n" * 50


def _code() -> str:
    return "```html\n<ul>\n  <li class='a'>x < y</li>\n</ul>\n```\n\nUse `<b>` here.\n" * 50


def _call() -> str:
    head = "<tool_call>\n<function=write>\n<parameter=content>\n"
    return head + "<li class='a'>one</li>\n\n" * (DELTAS * 4 // 24)
