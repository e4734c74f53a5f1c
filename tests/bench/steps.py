"""A run of sixty steps: the time between them, memory, and what is read again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, quantiles

from tests.bench import counts
from tests.bench.figure import Figure, counted
from tests.bench.ground import Ground
from tests.bench.qcode import Ran
from tests.bench.talk import LLAMA, STREAMED, make_files, steps
from tests.support.llama_words import About
from tests.support.script import Received, Reply
from tests.support.scripted_server import ScriptedServer

LINES, LINES_RESUMED = 200, 20
"""Of each file that is read."""
RUNS = 3


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation that was held."""

    ran: Ran
    """The process of its last turn."""
    requests: Sequence[Received]
    replies: Sequence[Reply]


def gaps(ground: Ground) -> Iterator[Figure]:
    """Last byte of an answer to the next request; and memory."""
    talks = [reading(ground, steps(pace=STREAMED, lines=LINES)) for _ in range(RUNS)]
    runs = [_milliseconds(talk.requests) for talk in talks]
    every = [gap for run in runs for gap in run]
    early = median(gap for run in runs for gap in run[:10])
    late = median(gap for run in runs for gap in run[-10:])
    yield Figure("between steps: median", median(every), "ms", 15, digits=1)
    yield Figure("between steps: p90", quantiles(every, n=10)[-1], "ms", digits=1)
    yield Figure("between steps: median of the first 10", early, "ms", digits=1)
    yield Figure("between steps: median of the last 10", late, "ms", digits=1)
    yield Figure("between steps: last 10 against first 10", late / early, "times", 1.5)
    yield Figure("60 steps: CPU", median(talk.ran.cpu_seconds for talk in talks), "s")
    peak = max(talk.ran.peak_bytes for talk in talks) / 1e6
    yield Figure("60 steps: peak memory", peak, "MB", 110, digits=0)


def tokens(ground: Ground) -> Iterator[Figure]:
    """Of the first request."""
    first = reading(ground, steps(1)).requests[0]
    system, whole = counts.system_tokens(first.body), counts.prompt_tokens(first)
    every = counts.system_tokens(counts.with_all_tools())
    yield counted("first request: system block of -p", system, "tokens", 2500)
    yield counted("first request: system block with every tool", every, "tokens", 2500)
    yield counted("first request: whole, in a folder of 60 files", whole, "tokens")


def reread(ground: Ground) -> Iterator[Figure]:
    """Sixty steps, then a new user message."""
    talk = two_turns(ground, LLAMA)
    *within, after = counts.reread(talk.requests, talk.replies)
    yield counted("read again within a turn of 60 steps", sum(within), "tokens", 0)
    yield counted("read again at the next user message", after, "tokens", 64)


def reading(ground: Ground, replies: Sequence[Reply]) -> Talk:
    """One turn of reads, over before this returns."""
    folder = ground.folder("reading")
    make_files(folder, LINES)
    with ScriptedServer(*replies, about=LLAMA) as server:
        ran = ground.qcode.prompt(server.base_url, folder, "Read every part.")
        server.check()
    return Talk(ran, server.requests, replies)


def two_turns(ground: Ground, about: About) -> Talk:
    """A turn of sixty steps, and one of a single answer in a second process."""
    folder = ground.folder("resumed")
    make_files(folder, LINES_RESUMED)
    replies = (*steps(lines=LINES_RESUMED), Reply(reasoning="Nothing to do.", text="Nothing else."))
    with ScriptedServer(*replies, about=about) as server:
        ground.qcode.prompt(server.base_url, folder, "Read every part.")
        ran = ground.qcode.prompt(server.base_url, folder, "What else?", "--continue")
        server.check()
    return Talk(ran, server.requests, replies)


def _milliseconds(requests: Sequence[Received]) -> list[float]:
    return [
        (after.arrived - (before.last_byte or before.arrived)) * 1000
        for before, after in pairwise(requests)
    ]
