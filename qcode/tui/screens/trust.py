"""The question before the first session in a folder that would configure qcode.

What is chosen unless one moves is to go on without it: a line that was typed too early, with its
Enter, trusts nothing.
"""

import time
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Key, Paste
from textual.screen import Screen

from qcode.protocol.cells import cells
from qcode.tui.chat.keys import TRUSTING
from qcode.tui.chat.offers import offer, rows
from qcode.tui.drawing.visible import visible
from qcode.tui.drawing.wrap import chop, clip, wrap
from qcode.tui.home import Configured
from qcode.tui.lines import BLANK, Line, Span, line
from qcode.tui.paint import Paint
from qcode.tui.widgets.approval import GUARD_SECONDS
from qcode.tui.widgets.painted import Painted

Answer = Literal["without", "trust", "later", "leave"]

QUIET_SECONDS = 0.7
"""An Enter so soon behind a letter ended a line that was meant for the prompt."""
CHOICES: tuple[tuple[Answer, str, str], ...] = (
    ("without", "Go on without it", "you are asked again when it changes"),
    ("trust", "Trust it as it stands", "what changes later is asked about"),
)
_INDENT = Span("   ")
_STYLES = {"+": "add", "-": "remove"}


class _Body(Painted):
    def __init__(self, paint: Paint, asked: Configured) -> None:
        super().__init__(paint)
        self._asked = asked

    def drawn(self, width: int) -> Sequence[Line]:
        return tuple(configured_lines(self._asked, width - 1))


class _Foot(Painted):
    at = 0

    def drawn(self, width: int) -> Sequence[Line]:
        return tuple(choice_lines(self.at, width))


class _Head(Painted):
    def __init__(self, paint: Paint, folder: str) -> None:
        super().__init__(paint)
        self._folder = folder

    def drawn(self, width: int) -> Sequence[Line]:
        title = " Trust what this folder configures?"
        folder = clip([Span(visible(self._folder), "dim")], max(width - cells(title) - 3, 0))
        gap = width - cells(title) - sum(cells(span.text) for span in folder) - 1
        spans = clip([Span(title, "strong"), Span(" " * max(gap, 1)), *folder], width)
        return line(*spans), line(Span("─" * width, "rule"))


class TrustScreen(Screen[Answer | None]):
    """Ends with what the person chose; `typed` is what was meant for the prompt."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(row.key, row.what, row.help, show=False) for row in TRUSTING
    ]
    DEFAULT_CSS = """
    TrustScreen { background: $background; }
    TrustScreen VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
    TrustScreen _Foot { dock: bottom; border-top: solid $accent; }
    """

    def __init__(self, paint: Paint, folder: str, asked: Configured) -> None:
        super().__init__()
        self.typed = ""
        self._head = _Head(paint, folder)
        self._body = _Body(paint, asked)
        self._foot = _Foot(paint)
        self._since, self._last = float("inf"), float("-inf")

    def compose(self) -> ComposeResult:
        yield self._head
        with VerticalScroll(can_focus=False):
            yield self._body
        yield self._foot

    def on_mount(self) -> None:
        self._since = time.monotonic()

    @property
    def chosen(self) -> Answer:
        """What Enter would do."""
        return CHOICES[self._foot.at][0]

    @property
    def is_ready(self) -> bool:
        """Whether an Enter is an answer: one could have read the question, and does not write."""
        now = time.monotonic()
        return now - self._since >= GUARD_SECONDS and now - self._last >= QUIET_SECONDS

    def on_key(self, event: Key) -> None:
        if event.is_printable and event.character:
            event.stop()
            self._write(event.character)

    def on_paste(self, event: Paste) -> None:
        event.stop()
        self._write(event.text)

    def _write(self, text: str) -> None:
        self.typed += text
        self._last = time.monotonic()

    def action_choose(self, step: int) -> None:
        self._foot.at = min(max(self._foot.at + step, 0), len(CHOICES) - 1)
        self._foot.redraw()

    def action_answer(self) -> None:
        if self.is_ready:
            self.dismiss(self.chosen)
        else:
            self._last = time.monotonic()

    def action_end(self, how: Answer) -> None:
        self.dismiss(how)

    def action_page(self, step: int) -> None:
        sheet = self.query_one(VerticalScroll)
        sheet.scroll_relative(y=step * max(sheet.size.height - 1, 1), animate=False)


def configured_lines(asked: Configured, width: int) -> Iterator[Line]:
    """What it would set, what it may not, and every line that nobody has trusted. Pure."""
    yield BLANK
    yield from _words(_why(asked), "text", width)
    for heading, texts, style in (
        ("It would set", asked.sets, "code"),
        ("Left out, trusted or not", asked.left_out, "warning"),
    ):
        if texts:
            yield BLANK
            yield line(_INDENT, Span(heading, "strong"))
            for text in texts:
                yield from _words(text, style, width, deep=2)
    if asked.patch:
        yield BLANK
        heading = "What has changed" if asked.since else "All that is there"
        yield line(_INDENT, Span(heading, "strong"))
        for row in asked.patch:
            yield from _row(row, width)


def _why(asked: Configured) -> str:
    if asked.since:
        return (
            f"This folder brings settings along that are not those which you trusted on "
            f"{asked.since[:10]}. Nothing of them counts before you trust them as they stand now."
        )
    return (
        "This folder brings settings along. Nothing of them counts before you trust them, and then "
        "as they stand now."
    )


def _words(text: str, style: str, width: int, *, deep: int = 0) -> Iterator[Line]:
    indent = Span(_INDENT.text + " " * deep)
    for each in wrap([Span(visible(text), style)], max(width - len(indent.text), 1)):
        yield line(indent, *each.spans)


def _row(text: str, width: int) -> Iterator[Line]:
    """Of a diff; one that is too long is broken, never cut."""
    is_name = text.startswith(("+++ ", "--- "))
    style = "dim" if is_name or text.startswith("@@") else _STYLES.get(text[:1], "code")
    shown = visible(text).expandtabs(4) or " "
    for each in chop([Span(shown, style)], max(width - 5, 1)):
        yield line(Span("     "), *each.spans)


def choice_lines(at: int, width: int) -> Iterator[Line]:
    """The two ways on, and the keys. Pure."""
    for place, (_, words, note) in enumerate(CHOICES):
        mark = Span(" ❯ " if place == at else "   ", "accent")
        name = Span(f"{words:<23}", "accent" if place == at else "text")
        yield line(*clip([mark, name, Span(note, "dim")], width))
    keys = (
        *(("↑↓", "choose"), ("⏎", "do it"), ("esc", "without it, this once")),
        *(("PgDn", "read on"), ("^C", "quit")),
    )
    yield from rows((offer(*one) for one in keys), width)
