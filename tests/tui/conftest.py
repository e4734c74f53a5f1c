"""The app over a scripted engine, without a terminal."""

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from qcode.protocol.events import AnyEvent, SessionStarted
from qcode.protocol.inputs import Begin, Input
from qcode.tui.app import QcodeApp
from qcode.tui.home import Home, Opened, Wanted
from tests.support.scripted_engine import ScriptedEngine
from tests.tui.until import until

STARTED = SessionStarted(
    *("s1", "0.1.0", "/project", "qwen", "llamacpp b1", "You are qcode.", (), "ask"),
    context_tokens=131_072,
)


class Engine(ScriptedEngine):
    """Begins at once, and says what a test tells it to."""

    def __init__(self, script: Sequence[AnyEvent] = (), begun: Sequence[AnyEvent] = ()) -> None:
        super().__init__(script)
        self.begun = tuple(begun)
        """Empty = a session begins, in the folder of the app."""

    def submit(self, given: Input) -> None:
        """As `ScriptedEngine`; after a Begin it says what it begins with."""
        super().submit(given)
        if isinstance(given, Begin):
            self.say(*self.begun)

    def say(self, *events: AnyEvent) -> None:
        """Out of itself."""
        for event in events:
            self._queue.put_nowait(event)

    def heard(self, kind: type[Input]) -> list[Input]:
        """The inputs of one kind."""
        return [given for given in self.inputs if isinstance(given, kind)]


@dataclass
class House:
    """An app, its engines, the keyboard."""

    app: QcodeApp
    pilot: Pilot[int]
    opened: list[Wanted] = field(default_factory=list)
    engines: list[Engine] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    """In which sessions were opened."""

    @property
    def folder(self) -> Path:
        """The workspace."""
        return self.app.home.folder

    @property
    def engine(self) -> Engine:
        """That of the session which is open."""
        return self.engines[-1]

    async def press(self, *keys: str) -> None:
        """As if pressed."""
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """As if typed; no line ends."""
        await self.pilot.press(*("space" if sign == " " else sign for sign in text))

    async def until(self, met: Callable[[], object], seconds: float = 5.0) -> None:
        """Wait for a state."""
        await until(met, seconds)

    async def begun(self) -> None:
        """The session is open, and the prompt has the keys."""
        await self.until(lambda: self.engines and self.app.talk.status.model)

    async def said(self, prompt: str, seen: str) -> None:
        """The session is open, a prompt was sent, and this of what came back is to be seen."""
        await self.begun()
        await self.type(prompt)
        await self.press("enter")
        await self.until(lambda: seen in self.screen)

    @property
    def screen(self) -> str:
        """What is to be seen, as text."""
        return "\n".join(
            "".join(segment.text for segment in strip).rstrip()
            for strip in self.app.screen._compositor.render_strips()
        )


Enter = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
def house(tmp_path: Path) -> Enter:
    """`async with house(engine) as h:` the app runs, with this engine for its first session; what
    is named beside it is its home's."""

    @asynccontextmanager
    async def enter(
        *engines: Engine,
        size: tuple[int, int] = (100, 30),
        past: Sequence[AnyEvent] = (),
        wanted: Wanted | None = None,
        **lent: object,
    ) -> AsyncIterator[House]:
        waiting = list(engines)
        opened: list[Wanted] = []
        used: list[Engine] = []
        threads: list[threading.Thread] = []

        def open_(what: Wanted) -> Opened:
            opened.append(what)
            threads.append(threading.current_thread())
            used.append(waiting.pop(0) if waiting else Engine())
            used[-1].begun = used[-1].begun or (replace(STARTED, folder=str(folder)),)
            return Opened(used[-1], tuple(past) if what.resume else (), what.resume or "s1")

        folder = tmp_path / "project"
        folder.mkdir()
        app = QcodeApp(replace(Home(folder, open_, tmp_path / "state"), **lent), wanted)
        async with app.run_test(size=size) as pilot:
            yield House(app, pilot, opened, used, threads)
            await app.holder.close()

    return enter
