"""What a fence adds to a command, over the same one without."""

import asyncio
import time
from collections.abc import Iterator
from statistics import median

from qcode.sandbox.base import Command, Runner
from qcode.sandbox.choose import choose
from qcode.sandbox.fenced import FencedRunner
from qcode.sandbox.ground import Ground as Stand
from qcode.sandbox.plain import PlainRunner
from tests.bench.figure import Figure
from tests.bench.ground import REPEATS, Ground

PAUSE_SECONDS = 0.3
"""Between commands, as a model leaves one."""
COMMANDS = 4 * REPEATS


def fence(ground: Ground) -> Iterator[Figure]:
    """Both in turn, so that a busy machine slows both."""
    workspace, state = ground.folder("workspace"), ground.folder("state")
    what = "fence: added to a command"
    choice = choose(Stand.of((workspace,), (state,), (), {"HOME": str(ground.place)}), state)
    if choice.fence is None:
        yield Figure(what, 0, "ms", under=15, skipped=choice.why)
        return
    plain = PlainRunner(ground.folder("spill"))
    fenced = FencedRunner(choice.fence, ground.folder("spill"))
    without, within = asyncio.run(_both(plain, fenced, Command("true", workspace, 60)))
    yield Figure("command without a fence", without, "ms", digits=1)
    yield Figure(what, within - without, "ms", under=15, digits=1)


async def _both(plain: PlainRunner, fenced: FencedRunner, command: Command) -> tuple[float, float]:
    times: tuple[list[float], list[float]] = ([], [])
    try:
        for _ in range(COMMANDS):
            for runner, taken in zip((plain, fenced), times, strict=True):
                await asyncio.sleep(PAUSE_SECONDS)
                taken.append(await _milliseconds(runner, command))
    finally:
        await fenced.close()
        await plain.close()
    return median(times[0]), median(times[1])


async def _milliseconds(runner: Runner, command: Command) -> float:
    began = time.perf_counter()
    await runner.run(command, lambda _: None)
    return (time.perf_counter() - began) * 1000
