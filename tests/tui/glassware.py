"""A Textual app that writes into a terminal emulator, in this process: what the emulator shows is
compared with what Textual itself would paint."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

import pyte
from rich.style import Style
from textual import events
from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.geometry import Size
from textual.pilot import Pilot
from textual.widgets import Static

from qcode.tui.blocks import AnswerBlock, Block
from qcode.tui.lines import Line, Span
from qcode.tui.view import TranscriptView

Cell = tuple[str, str, str, bool, bool]

STYLES = {
    "text": Style(color="#d0d0d0"),
    "accent": Style(color="#ffaf00", bold=True),
    "match": Style(bgcolor="#5f5f00"),
    "cursor": Style(reverse=True),
    "selection": Style(bgcolor="#00005f"),
    "focus": Style(bgcolor="#ffffff"),
    "error": Style(color="#ff0000"),
}


def paint(names: str) -> Style:
    """A few colours."""
    return Style.combine(STYLES.get(name, Style()) for name in names.split())


def draw(block: Block, width: int, opened: bool) -> Sequence[Line]:  # noqa: FBT001  as in `Draw`
    """Each line of the text cut to pieces of the width, the first word of each in a colour."""
    assert isinstance(block, AnswerBlock)
    text = block.text + ("\nopened" if opened else "")
    room = width - 2
    lines = []
    for paragraph in text.split("\n") if text else ():
        pieces = [paragraph[at : at + room] for at in range(0, len(paragraph), room)] or [""]
        for number, piece in enumerate(pieces):
            first, blank, rest = piece.partition(" ")
            spans = (Span("  ", "dim"), Span(first, "accent"), Span(blank + rest))
            lines.append(Line(spans, skip=2, joins="" if number else "\n"))
    return lines


def buffer(screen: pyte.Screen) -> list[list[Cell]]:
    """All that is to be seen."""
    return [
        [
            (cell.data, cell.fg, cell.bg, cell.bold, cell.reverse)
            for cell in (screen.buffer[y][x] for x in range(screen.columns))
        ]
        for y in range(screen.lines)
    ]


class EmulatedDriver(Driver):
    """Writes into an emulator."""

    screen: pyte.Screen
    sent: int = 0

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.sent += len(data)
        self._stream.feed(data)

    def start_application_mode(self) -> None:
        size = Size(*(self._size or (80, 24)))
        self.screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self.screen)
        self.write("\x1b[?7l")
        self._tell(size)

    def resize(self, columns: int, rows: int) -> None:
        """The window has another size."""
        self.screen.resize(rows, columns)
        self._size = (columns, rows)
        self._tell(Size(columns, rows))

    def disable_input(self) -> None: ...

    def stop_application_mode(self) -> None: ...

    def _tell(self, size: Size) -> None:
        self._app.post_message(events.Resize(size, size))


class Desk(App[None]):
    """The view with a foot below it, which may grow, and something that may lie over it."""

    CSS = """
    Screen { layers: below above; }
    #foot { height: 2; }
    #over { layer: above; width: 20; height: 5; offset: 5 3; display: none; background: red; }
    """

    def __init__(self, ways: Literal["glass", "textual"] = "glass") -> None:
        super().__init__(driver_class=EmulatedDriver)
        self.ways = ways

    def compose(self) -> ComposeResult:
        yield TranscriptView(draw, paint, ways=self.ways, id="view")
        yield Static("foot", id="foot")
        yield Static("over it all", id="over")

    @property
    def view(self) -> TranscriptView:
        return self.query_one(TranscriptView)

    @property
    def driver(self) -> EmulatedDriver:
        assert isinstance(self._driver, EmulatedDriver)
        return self._driver

    def repainted(self) -> list[list[Cell]]:
        """The screen if Textual painted all of it anew."""
        update = self.screen._compositor.render_full_update()
        screen = pyte.Screen(*self.size)
        pyte.Stream(screen).feed(
            "\x1b[?7l" + update.render_segments(self.console).replace("\n", "\r\n")
        )
        return buffer(screen)

    def shown(self) -> list[list[Cell]]:
        """The screen as it is."""
        return buffer(self.driver.screen)


@asynccontextmanager
async def desk(
    size: tuple[int, int] = (60, 16), ways: Literal["glass", "textual"] = "glass"
) -> AsyncIterator[tuple[Desk, Pilot[None]]]:
    """Running."""
    app = Desk(ways)
    async with app.run_test(headless=False, size=size) as pilot:
        await quiet(app)
        yield app, pilot


async def quiet(app: Desk) -> None:
    """Wait until nothing is written any more."""
    still = 0
    while still < 3:
        before = app.driver.sent
        await asyncio.sleep(0.01)
        waits = app.view.waits or app.screen._dirty_widgets
        still = still + 1 if app.driver.sent == before and not waits else 0
