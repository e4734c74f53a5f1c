"""What each fence adds to a command, over the same one without."""

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from statistics import median

from qcode.sandbox.base import Command, Runner
from qcode.sandbox.choose import candidates
from qcode.sandbox.fenced import FencedRunner
from qcode.sandbox.ground import Ground as Stand
from qcode.sandbox.plain import PlainRunner
from qcode.sandbox.trial import trial
from qcode.sandbox.usage import table
from tests.bench.figure import Figure, skipped
from tests.bench.ground import REPEATS, Ground

PAUSE_SECONDS = 0.3
"""Between commands, as a model leaves one."""
COMMANDS = 4 * REPEATS
PLAIN = "plain"


def fence(ground: Ground) -> Iterator[Figure]:
    """All in turn, so that a busy machine slows all."""
    workspace, state = ground.folder("workspace"), ground.folder("state")
    stand = Stand.of((workspace,), (state,), (), {"HOME": str(ground.place)})
    runners: dict[str, PlainRunner] = {PLAIN: PlainRunner(ground.folder("spill"))}
    for name, make in candidates(os.environ):
        found = trial(make, state)
        if found.proven:
            runners[name] = FencedRunner(make(stand), ground.folder("spill"))
        else:
            said = found.why or ", ".join(found.broken.values())
            yield skipped(f"fence: added to a command by {name}", said)
    taken = asyncio.run(_all(runners, Command("true", workspace, 60)))
    yield Figure("command without a fence", taken[PLAIN], "ms", digits=1)
    for name in runners:
        if name != PLAIN:
            more = taken[name] - taken[PLAIN]
            yield Figure(f"fence: added to a command by {name}", more, "ms", under=15, digits=1)
    yield Figure("limits: a look at all processes", _look(), "ms", digits=1)


async def _all(runners: Mapping[str, PlainRunner], command: Command) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in runners}
    try:
        for _ in range(COMMANDS):
            for name, runner in runners.items():
                await asyncio.sleep(PAUSE_SECONDS)
                times[name].append(await _milliseconds(runner, command))
    finally:
        for runner in runners.values():
            await runner.close()
    return {name: median(taken) for name, taken in times.items()}


async def _milliseconds(runner: Runner, command: Command) -> float:
    began = time.perf_counter()
    await runner.run(command, lambda _: None)
    return (time.perf_counter() - began) * 1000


def _look() -> float:
    began = time.thread_time()
    for _ in range(REPEATS):
        table()
    return (time.thread_time() - began) * 1000 / REPEATS
