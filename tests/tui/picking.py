"""An app with nothing but a picker, and words of the conversation below it."""

from collections.abc import Callable
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from qcode.tui.palette import Depth, Palette
from qcode.tui.screens.theme import ThemePicker
from qcode.tui.themes import Theme, load, textual_theme

SIZES = [(60, 20), (80, 24), (120, 40)]


class Below(App[None]):
    """Shows the screen that `make` makes."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, make: Callable[[Palette], Screen[Any]], depth: Depth = "true") -> None:
        super().__init__()
        self.depth = depth
        self.themes = load().themes
        for theme in self.themes:
            self.register_theme(textual_theme(theme, depth))
        self.theme = "night"
        self.paint = Palette(self._of("night").colours, depth)
        self.make = make
        self.answers: list[object] = []
        self.tried: list[str] = []

    def _of(self, name: str) -> Theme:
        return next(theme for theme in self.themes if theme.name == name)

    def compose(self) -> ComposeResult:
        yield Static("\n".join(f"line {at} of the conversation" for at in range(60)))

    def on_mount(self) -> None:
        self.push_screen(self.make(self.paint), self.answers.append)

    def on_theme_picker_tried(self, event: ThemePicker.Tried) -> None:
        self.tried.append(event.theme.name)
        self.paint.become(event.theme.colours, self.depth)
        self.theme = event.theme.name


def seen(app: App[None]) -> list[str]:
    """The rows of the terminal."""
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    """Wait for a state, not for a time; the test's own limit ends it."""
    while not holds():
        await pilot.pause(0.01)


async def until_seen(pilot: Pilot[None], words: str) -> None:
    await until(pilot, lambda: words in "\n".join(seen(pilot.app)))
