"""CPU that the child spends on a streamed answer, one token an event."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.figure import Figure
from tests.bench.ground import Ground
from tests.bench.talk import words
from tests.support.scripted_server import ScriptedServer

FEW = 50
REAL = 2_000
"""Tokens at 200 a second: ten seconds."""
FULL = 20_000
RUNS = 3
PER_SECOND = 200


def streaming(ground: Ground) -> Iterator[Figure]:
    """At the pace of a good local model, and as fast as the server can send."""
    for tokens, pace, under in ((REAL, PER_SECOND, 0.30), (FULL, 0, 0.03)):
        many = [_stream(ground, tokens, pace) for _ in range(RUNS)]
        few = [_stream(ground, FEW, pace) for _ in range(RUNS)]
        cpu_seconds = _median_cpu(many) - _median_cpu(few)
        per_second = median(tokens / one.seconds for one in many)
        name = "at full speed" if pace == 0 else f"at {pace} tokens/s"
        what = f"CPU per 1,000 streamed tokens {name} (really {per_second:,.0f})"
        yield Figure(what, cpu_seconds * 1000 / (tokens - FEW), "s", under, digits=3)


@dataclass(frozen=True, slots=True)
class _Streamed:
    cpu_seconds: float
    """Of the whole run."""
    seconds: float
    """Of the answer, from the request to its last byte."""


def _stream(ground: Ground, tokens: int, per_second: float) -> _Streamed:
    with ScriptedServer(words(tokens, per_second)) as server:
        ran = ground.qcode.prompt(server.base_url, ground.folder("empty"), "Tell me a long story.")
        server.check()
        (request,) = server.requests
    assert request.last_byte is not None, "the answer did not end"
    return _Streamed(ran.cpu_seconds, request.last_byte - request.arrived)


def _median_cpu(runs: Sequence[_Streamed]) -> float:
    return median(run.cpu_seconds for run in runs)
