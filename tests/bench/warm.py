"""What is read ahead, and a slot that is kept: the first answer with and without, on a real engine.

A new session has its system text, its tools and the notes of the project read before the first
words; one that goes on has it all read. The engine is started anew for each.
"""

import asyncio
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from qcode.session.conversation import fold
from qcode.session.store import Store
from tests.bench.figure import Figure, counted, skipped
from tests.bench.ground import Ground
from tests.engine.person import at, person, read
from tests.support.llama import LlamaServer, Options, make_model

REPEATS = 3
NOTES = "".join(f"{number}. Keep line {number} short.\n" for number in range(400))
MOST = 64
"""Tokens beside the person's own words that a first answer may read."""
WORDS = "What do the notes say? "

Took = tuple[int, float]
"""Tokens that the first answer read, and seconds from the prompt to its first token."""


def warm(ground: Ground) -> Iterator[Figure]:
    """New sessions, then sessions that go on; each with and without."""
    if not find_spec("xllamacpp"):
        yield skipped("what is read ahead", "xllamacpp is not installed")
        return
    os.environ["OMP_THREAD_LIMIT"] = "1"  # two threads on busy cores wait for one another
    folder = ground.folder("warm")
    (folder / "AGENTS.md").write_text(NOTES)
    yield from _rows("first answer", [_new(ground, "on"), _new(ground, "off")])
    yield from _rows("--continue, a new engine", [_again(ground, "on"), _again(ground, "off")])


def _rows(what: str, both: list[list[Took]]) -> Iterator[Figure]:
    for taken, name in zip(both, ("warm", "cold"), strict=True):
        most = MOST + len(WORDS) if name == "warm" else None
        tokens = max(tokens for tokens, _ in taken)
        yield counted(f"{what}, {name}: tokens that it reads, most", tokens, "tokens", most)
        seconds = median(seconds for _, seconds in taken)
        yield Figure(f"{what}, {name}: prompt to first token", seconds, "s", digits=3)


def _new(ground: Ground, word: str) -> list[Took]:
    return [asyncio.run(_first(ground, word)) for _ in range(REPEATS)]


async def _first(ground: Ground, word: str) -> Took:
    with _engine(ground) as server:
        async with person(server, at(ground.folder("warm")), warm=word) as run:
            await run.begin()
            if word == "on":
                await run.pause()
            return read(await run.ask(WORDS)), run.first_seconds


def _again(ground: Ground, word: str) -> list[Took]:
    return [asyncio.run(_second(ground, word, number)) for number in range(REPEATS)]


async def _second(ground: Ground, word: str, number: int) -> Took:
    """`off` is as a server without `--slot-save-path`, which is the rule."""
    folder, store = ground.folder("warm"), Store(ground.place / f"sessions-{word}-{number}")
    kept = ground.place / f"slots-{word}-{number}.json"
    log = store.create(folder)
    with _engine(ground) as server:
        async with person(server, at(folder, log=log, slots=kept), warm=word) as run:
            await run.ask(WORDS)
    resumed = store.resume(log.session_id)
    start = at(folder, log=resumed.log, conversation=fold(resumed.opened.events), slots=kept)
    with _engine(ground) as server:
        async with person(server, start, warm=word) as run:
            return read(await run.ask(WORDS)), run.first_seconds


def _engine(ground: Ground) -> LlamaServer:
    model: Path = make_model(ground.place, "3.6")
    options = Options(str(model), slot_save_path=str(ground.folder("slots")))
    return LlamaServer(options, ground.place / "warm.log")
