"""Repetition watch and reasoning counter: their CPU, and what they see in the suite of texts."""

import time
from collections.abc import Callable, Iterator

from qcode.server import tokens
from qcode.server.budget import Budget
from qcode.server.loops import Kind, Watch
from tests.bench.figure import Figure, counted
from tests.bench.ground import Ground
from tests.server.loops.honest import HONEST
from tests.server.loops.looping import LOOPING

ROUNDS = 5
DELTAS = 10_000
KINDS: tuple[Kind, ...] = ("reasoning", "text", "arguments")

Feed = Callable[[str], object]


def loops(ground: Ground) -> Iterator[Figure]:
    """CPU per 1,000 deltas of a token each; false alarms; how late each loop is seen."""
    stream = _stream()
    tokens.prepare().wait()  # the counter at its dearest: by the table
    for what, make in (
        ("repetition watch", _watch),
        ("reasoning counter", _counter),
        ("both", _both),
    ):
        cpu_seconds = min(_spent(make(), stream) for _ in range(ROUNDS))
        under = 3.0 if what == "both" else None
        yield Figure(f"CPU per 1,000 deltas, {what}", cpu_seconds * 1e6 / len(stream), "ms", under)
    alarms = sum(_seen(text, kind) is not None for text in HONEST.values() for kind in KINDS)
    yield counted(
        f"false alarms over {len(HONEST)} honest texts, as {len(KINDS)} kinds", alarms, "", 0
    )
    for name, case in LOOPING.items():
        seen = _seen(case.text, "reasoning")
        after = len(case.text) if seen is None else seen - len(case.before)
        yield counted(f"loop of {name}: seen after", after, "characters", case.within)


def _stream() -> list[str]:
    """Words and code, four characters a delta: about a token."""
    text = "".join(HONEST[name] for name in ("many doubts", "forty similar edits", "yaml", "diff"))
    pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
    return (pieces * (1 + DELTAS // len(pieces)))[:DELTAS]


def _watch() -> Feed:
    watch = Watch()
    return lambda piece: watch.feed("reasoning", piece)


def _counter() -> Feed:
    return Budget(2 * DELTAS).feed


def _both() -> Feed:
    watch, budget = Watch(), Budget(2 * DELTAS)
    return lambda piece: (watch.feed("reasoning", piece), budget.feed(piece))


def _spent(feed: Feed, stream: list[str]) -> float:
    began = time.process_time()
    for piece in stream:
        feed(piece)
    return time.process_time() - began


def _seen(text: str, kind: Kind) -> int | None:
    """After how many characters a loop is told; None = never."""
    watch = Watch()
    for at in range(0, len(text), 4):
        if watch.feed(kind, text[at : at + 4]):
            return at + 4
    return None
