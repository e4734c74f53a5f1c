"""Somebody at a terminal with a real llama.cpp: begins, thinks for as long as the server reads
ahead, asks. What each answer took is the server's own count.
"""
# ruff: noqa: ASYNC110  what a server does can only be asked, again and again

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from qcode.assemble import Start
from qcode.engine.engine import Engine
from qcode.protocol.events import AnyEvent, ReasoningDelta, SessionStarted, TextDelta, Usage
from qcode.protocol.inputs import Begin
from tests.engine.rig import Rig, configured, rig
from tests.support.llama import LlamaServer
from tests.support.plain_http import get

PROMPT = "What do the notes say? " * 4


class Person(Rig):
    """Somebody before a screen, whose thoughts take as long as the server reads."""

    def __init__(self, engine: Engine, server: LlamaServer, told: list[str]) -> None:
        super().__init__(engine)
        self._server, self._told = server, told
        self.first_seconds = 0.0
        """From the last prompt to the first token of its answer."""

    async def begin(self) -> None:
        self.engine.submit(Begin())
        await self.until(SessionStarted)

    async def pause(self) -> int:
        """Until something was read ahead that was not before; tokens that the server holds then."""
        async with asyncio.timeout(60):
            while not self._told:
                await asyncio.sleep(0.01)
        self._told.clear()
        return await asyncio.to_thread(resting, self._server)

    @property
    def was_warmed(self) -> bool:
        """Something was read ahead since the last pause."""
        return bool(self._told)

    async def ask(self, prompt: str = PROMPT) -> Usage:
        """A turn; what its first answer took."""
        before = len(self.said(Usage))
        began, self.first_seconds = time.monotonic(), 0.0

        def look(event: AnyEvent) -> None:
            if isinstance(event, TextDelta | ReasoningDelta) and not self.first_seconds:
                self.first_seconds = time.monotonic() - began

        await self.turn(prompt, look)
        return self.said(Usage)[before]


@asynccontextmanager
async def person(
    server: LlamaServer,
    start: Start,
    history: str = "auto",
    sleep_seconds: float = 3_600.0,
    **agent: Any,
) -> AsyncIterator[Person]:
    said = {
        "server": {"history": history},
        "agent": {"loops": "off", "max_steps": 1, **agent},
        "serve": {"sleep_minutes": sleep_seconds / 60},
    }
    config = configured(server.base_url, **said)
    with lines_of("qcode.engine.warming") as told:
        async with rig(config, start) as run:
            yield Person(run.engine, server, told)


class Heard(logging.Handler):
    """Keeps what it is told."""

    def __init__(self, told: list[str]) -> None:
        super().__init__()
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        self._told.append(record.getMessage())


@contextmanager
def lines_of(name: str) -> Iterator[list[str]]:
    """What the log file would be told of something that was read ahead."""
    told: list[str] = []
    handler = Heard(told)
    handler.addFilter(lambda record: record.getMessage().startswith("prefix warmed"))
    log = logging.getLogger(name)
    before = log.level
    log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    yield told
    log.removeHandler(handler)
    log.setLevel(before)


def at(folder: Path, **fields: Any) -> Start:
    return Start(folder=folder, person="present", **fields)


def resting(server: LlamaServer) -> int:
    """Tokens in its slots; 0 = one works, or all are empty."""
    slots = get(server.origin, "/slots")
    if any(slot["is_processing"] for slot in slots):
        return 0
    return sum(slot.get("n_prompt_tokens") or 0 for slot in slots)


def read(usage: Usage) -> int:
    assert usage.prompt_tokens is not None
    assert usage.cached_tokens is not None
    return usage.prompt_tokens - usage.cached_tokens
