"""What a real llama.cpp reads again, by the way in which history is sent: its own counts.

Three turns of six calls, with reasoning in each answer. The tiny model's template is that of 3.6
for `native` and that of 3.5, which drops the reasoning of earlier turns, for the others.
"""

import asyncio
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from qcode.protocol.events import Usage
from qcode.server.base import Strategy
from tests.bench.figure import Figure, counted, skipped
from tests.bench.ground import Ground
from tests.engine.rig import configured, rig, started
from tests.support.llama import LlamaServer, Options, make_model
from tests.support.proxy import RecordingProxy
from tests.support.render import Style
from tests.support.script import Call, Reply

TURNS, CALLS = 3, 6
LINES = 30
"""Of each file."""
THOUGHT = "I look at the next file, since the one before did not show it. " * 4
MOST = 64
"""Tokens that a turn may read again."""
TURN_SECONDS = 100.0

ONE_THREAD = {"OMP_THREAD_LIMIT": "1"}
"""Two threads that share busy cores wait for one another: up to eight times slower."""

STYLES: dict[Strategy, Style] = {"native": "3.6", "fold": "3.5", "plain": "3.5"}


def strategies(ground: Ground) -> Iterator[Figure]:
    """A row a strategy; `plain` is what the others are measured against."""
    for strategy, style in STYLES.items():
        what = f"live llama.cpp, {strategy} (template of {style}): read again"
        if not find_spec("xllamacpp"):
            yield skipped(what, "xllamacpp is not installed")
            continue
        again = measured(ground, strategy)
        told = f"{what} by turn, {' + '.join(map(str, again))}; most"
        yield counted(told, max(again), "tokens", None if strategy == "plain" else MOST)


def measured(ground: Ground, strategy: Strategy) -> list[int]:
    """Tokens read again in each turn."""
    os.environ.update(ONE_THREAD)
    style = STYLES[strategy]
    model = str(make_model(ground.place, style))
    folder = ground.folder(strategy)
    make_files(folder)
    with (
        LlamaServer(Options(model), ground.place / f"{strategy}.log") as engine,
        RecordingProxy(engine.origin, *script(TURNS, CALLS)) as proxy,
    ):
        told = asyncio.run(converse(proxy, folder, TURNS, strategy))
        proxy.check()
    assert len(told) == len(proxy.steps) == TURNS * (CALLS + 1)
    return proxy.by_turn(lambda step: step.read_again)


def make_files(folder: Path) -> None:
    """Those that the script reads."""
    for step in range(CALLS):
        (folder / f"file-{step}.txt").write_text(f"{step} is here\n" * LINES)


def script(turns: int, calls: int) -> Iterator[Reply]:
    """Reads of files, with and without words, and a last word in each turn."""
    for turn in range(turns):
        for step in range(calls):
            call = Call("read", {"path": f"file-{step}.txt", "last_line": LINES})
            yield Reply("Next." if step % 2 else "", f"{turn}.{step}: {THOUGHT}".strip(), (call,))
        yield Reply(f"Turn {turn} is done.", "That is all.")


async def converse(
    proxy: RecordingProxy, folder: Path, turns: int, strategy: Strategy | None = None
) -> list[Usage]:
    """A session with one engine; what it says about tokens. None = the strategy that it finds."""
    config = configured(proxy.base_url, server={"history": strategy or "auto"})
    async with rig(config, started(folder)) as run:
        run.seconds = TURN_SECONDS
        for turn in range(turns):
            assert (await run.turn(f"Question {turn}")).reason == "end_turn"
    return run.said(Usage)
