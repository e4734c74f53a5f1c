"""`qcode review`: an app of one screen."""

import os
from collections.abc import Sequence
from pathlib import Path

from textual.app import App
from textual.filter import LineFilter

from qcode.tui import palette, themes
from qcode.tui.paint import LOCK
from qcode.tui.review.outcome import Deeds, ReviewOutcome
from qcode.tui.review.state import ReviewState
from qcode.tui.screens.review import ReviewScreen
from qcode.workspace.patches import FileChange


class ReviewApp(App[ReviewOutcome | None]):
    """Shows the changes; ends with what was made of them, or None."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { background: $background; }"

    def __init__(
        self,
        files: Sequence[FileChange],
        deeds: Deeds,
        theme: themes.Theme | None = None,
        depth: palette.Depth | None = None,
    ) -> None:
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") else None)  # as in `app`
        shown = theme or _usual()
        depth = depth or palette.depth(self.console.color_system, os.environ)
        self.register_theme(themes.textual_theme(shown, depth))
        self.theme = shown.name
        paint = palette.Palette(shown.colours, depth)
        self.reviewing = ReviewScreen(ReviewState(files), paint, deeds)

    def on_mount(self) -> None:
        self.push_screen(self.reviewing, self.exit)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """See `App`."""
        return (*super().get_line_filters(), LOCK)


def review(
    files: Sequence[FileChange], deeds: Deeds, state: Path, folders: Sequence[Path]
) -> ReviewOutcome | None:
    """Run it to its end, in the theme that the person chose. None = they left."""
    theme = themes.load(folders).get(themes.chosen(state))
    return ReviewApp(files, deeds, theme).run()


def _usual() -> themes.Theme:
    theme = themes.load().get(themes.usual(os.environ))
    assert theme is not None, "the shipped themes are part of the package"
    return theme
