"""An engine over a scripted server, put together as `assemble` does, and what it said."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from qcode.assemble import Start, assemble
from qcode.config.model import Config
from qcode.engine.engine import Engine
from qcode.protocol.events import AnyEvent, TurnFinished
from qcode.protocol.inputs import Input, Prompt

E = TypeVar("E")

On = Callable[[AnyEvent], Input | None]
"""What a person does when they see an event."""


class Rig:
    """Submits prompts and collects events."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.events: list[AnyEvent] = []
        self.seconds = 30.0
        """A turn that takes longer fails the test."""
        self._stream = engine.events()

    async def turn(self, prompt: str, on: On = lambda event: None) -> TurnFinished:
        """One prompt to the end of its turn."""
        self.engine.submit(Prompt(prompt))
        return await self.rest(on)

    async def rest(self, on: On = lambda event: None) -> TurnFinished:
        """Everything up to the next end of a turn."""
        return await self.until(TurnFinished, on)

    async def until(self, kind: type[E], on: On = lambda event: None) -> E:
        """Everything up to the next event of a kind."""
        async with asyncio.timeout(self.seconds):
            async for event in self._stream:
                self.events.append(event)
                if given := on(event):
                    self.engine.submit(given)
                if isinstance(event, kind):
                    return event
        raise AssertionError("the engine was closed")

    def said(self, kind: type[E]) -> list[E]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


def configured(base_url: str, **sections: dict[str, Any]) -> Config:
    """A configuration for a scripted server; `agent={"verify": "true"}` sets more.

    Without a fence unless one is asked for (`permission={"sandbox": "auto"}`): a trial for each
    engine takes its time, and only the mode `auto` would allow more for it.
    """
    server = {"base_url": base_url, **sections.pop("server", {})}
    permission = {"sandbox": "off", **sections.pop("permission", {})}
    return msgspec.convert({"server": server, "permission": permission, **sections}, Config)


@asynccontextmanager
async def rig(config: Config, start: Start) -> AsyncIterator[Rig]:
    """A running engine, closed at the end."""
    engine = assemble(config, start)
    try:
        yield Rig(engine)
    finally:
        await engine.close()


YOLO: dict[str, Any] = {"mode": "auto", "sandbox": "off"}


def started(folder: Path, **fields: Any) -> Start:
    """A start without a session unless one is given."""
    return Start(folder=folder, **fields)
