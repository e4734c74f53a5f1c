"""The app with all that moves held still: clock, cursor, home, terminal, version, theme."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace
from textual._context import visible_screen_stack
from textual.app import App
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Input

from qcode.protocol.events import AnyEvent, SessionStarted
from qcode.tui import themes
from qcode.tui.app import QcodeApp
from qcode.tui.home import Held, Home, Opened, Wanted
from tests.tui.conftest import STARTED, Engine
from tests.tui.snapshots.svg import svg
from tests.tui.until import until

SIZES = ((80, 24), (120, 40))
THEMES = ("night", "paper")
BEGUN: SessionStarted = replace(
    STARTED,
    model="Qwen3.6-35B-A3B-Q4_K_M.gguf",
    server="llamacpp b9870",
    system="You are qcode. " * 200,
)
FILES = ("src/acme/pages.py", "src/acme/api.py", "tests/test_pages.py", "README.md")
"""Of the project."""
STILL = 3
"""So many frames, one like the other, and nothing moves any more."""

_ENVIRON = {
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    "TZ": "UTC",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}
_UNSET = ("NO_COLOR", "COLORFGBG", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")


@contextmanager
def home(folder: Path) -> Iterator[Path]:
    """This is the person's home; a project lies in it."""
    before = dict(os.environ)
    os.environ.update(_ENVIRON, HOME=str(folder))
    for name in _UNSET:
        os.environ.pop(name, None)
    try:
        project = folder / "src" / "acme"
        for name in FILES:
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_text("pass\n")
        yield project
    finally:
        os.environ.clear()
        os.environ.update(before)


@dataclass
class Stage:
    """An app that runs, to be looked at."""

    app: App[object]
    pilot: Pilot[object]
    now: float = 100.0
    """The clock of all that is shown."""

    async def press(self, *keys: str) -> None:
        """As if pressed."""
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """As if typed; no line ends."""
        await self.pilot.press(*("space" if sign == " " else sign for sign in text))

    async def until(self, met: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait for a state."""
        await until(met, seconds)

    async def until_seen(self, words: str) -> None:
        """Wait for words on the screen."""
        await self.until(lambda: words in self.text)

    def say(self, *events: AnyEvent, seconds: float = 0.0) -> None:
        """The engine says it, and then time goes on."""
        assert isinstance(self.app, QcodeApp)
        self.app.show(events)
        self.now += seconds

    @property
    def text(self) -> str:
        """What is to be seen."""
        return "\n".join(strip.text for strip in self.rows)

    @property
    def rows(self) -> list[Strip]:
        """The same in colours."""
        visible_screen_stack.set(self.app._background_screens)  # else what is below is left out
        return self.app.screen._compositor.render_strips()

    async def still(self) -> None:
        """Until nothing moves any more."""
        for one in self.app.screen.query(Input):
            one.cursor_blink, one._cursor_visible = False, True
        same, before = 0, list[object]()
        while same < STILL:
            await asyncio.sleep(0.04)
            shown: list[object] = [*self.rows, str(self.app.screen.focused)]  # colours come late
            same, before = (same + 1 if shown == before else 0), shown

    async def picture(self, theme: str) -> str:
        """As it looks in that theme."""
        found = themes.load().get(theme)
        assert found is not None, theme
        app = self.app
        assert isinstance(app, QcodeApp)
        if app.theme != theme:
            app.wear(found)
        app.chat.view.tick()  # as time will do sooner or later
        app.chat.footer.refresh()
        await self.still()
        colours = found.colours.foreground, found.colours.background
        return svg(self.rows, app.size.width, colours)


@asynccontextmanager
async def stage(
    project: Path,
    size: tuple[int, int],
    *begun: AnyEvent,
    held: Held | None = None,
    past: Sequence[AnyEvent] = (),
) -> AsyncIterator[Stage]:
    """The chat, with a session that has begun so."""
    engines: list[Engine] = []
    made: list[Stage] = []

    def open_(_: Wanted) -> Opened:
        engines.append(Engine(begun=begun or (replace(BEGUN, folder=str(project)),)))
        return Opened(engines[-1], tuple(past), "s1", held=held or Held())

    sessions = project.parent.parent / "sessions"
    where = Home(
        *(project, open_, project.parent.parent / "state", sessions),
        clock=lambda: made[0].now if made else 100.0,
        serve=lambda model, say, loads: model,
    )
    app = QcodeApp(where)
    async with app.run_test(size=size) as pilot:
        made.append(Stage(app, pilot))  # type: ignore[arg-type] # of any result
        await until(lambda: engines and app.talk.status.phase != "starting")
        await until(lambda: app.talk.status.model or app.talk.waiting.failed)
        await made[0].still()
        yield made[0]
        await app.holder.close()
