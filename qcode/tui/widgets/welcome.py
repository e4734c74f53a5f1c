"""What stands above the prompt until something is said: what one can do, and who answers."""

from collections.abc import Iterator, Sequence

from qcode.engine import telling
from qcode.protocol.cells import cells
from qcode.protocol.text import one_line
from qcode.tui.drawing.visible import safe
from qcode.tui.drawing.words import short
from qcode.tui.drawing.wrap import clip
from qcode.tui.lines import BLANK, Line, Span, line
from qcode.tui.paint import Paint
from qcode.tui.status import Status
from qcode.tui.widgets.painted import Painted

LEAST_ROWS = 18
"""Of the screen; on a smaller one there is no room for advice."""
_INDENT = Span("   ")
_OFFERS = (
    (("@", "a file, some lines of it"), ("F1", "all keys and commands")),
    (("/", "a command"), ("⇧⇥", "another mode")),
    (("!", "a shell command of your own"), ("Esc", "stops the model")),
)
_MODES = {
    "plan": "it reads and proposes, and changes nothing",
    "ask": "edits and commands wait for your word",
    "edit": "edits go ahead, commands wait for your word",
    "auto": "edits and commands go ahead",
}
_COLUMN = 36


class Welcome(Painted):
    """Hidden as soon as something was said."""

    DEFAULT_CSS = "Welcome { display: none; } Welcome.open { display: block; }"

    def __init__(self, paint: Paint) -> None:
        super().__init__(paint)
        self._status = Status()
        self._last = ("", "")

    @property
    def is_open(self) -> bool:
        """Whether there is something to tell."""
        return self.has_class("open")

    def show(self, status: Status) -> None:
        """This is how things stand."""
        if _shown(status) != _shown(self._status):
            self._status = status
            self.redraw()

    def recall(self, title: str, when: str) -> None:
        """The session before this one."""
        self._last = (title, when)
        self.redraw()

    def drawn(self, width: int) -> Sequence[Line]:
        if self.app.size.height < LEAST_ROWS:
            return ()
        return tuple(welcome_lines(self._status, self._last, width))


def _shown(status: Status) -> tuple[str, str, int | None, bool]:
    return status.model, status.mode, status.context_tokens, status.phase == "loading"


def welcome_lines(status: Status, last: tuple[str, str], width: int) -> Iterator[Line]:
    """What to do, who answers, what was done last. Always as many rows: nothing jumps."""
    room = width - 1
    yield line(_INDENT, *clip([Span("Ask something, or say what is to be changed.")], room - 3))
    yield BLANK
    for left, right in _OFFERS:
        yield line(*clip([_INDENT, *_offer(left, _COLUMN), *_offer(right, 0)], room))
    yield BLANK
    for spans in (_answers(status), _mode(status), _before(*last)):
        yield line(*clip([_INDENT, *spans], room)) if spans else BLANK


def _offer(told: tuple[str, str], column: int) -> tuple[Span, ...]:
    key, words = told
    gap = " " * (5 - cells(key))
    rest = " " * max(column - 5 - cells(words), 0)
    return Span(key, "accent"), Span(f"{gap}{words}{rest}", "dim")


def _answers(status: Status) -> tuple[Span, ...]:
    if status.phase == "loading" and not status.model:
        return (Span("The model loads: what you send now waits until it is there.", "dim"),)
    if not status.model:
        return ()
    room = f", with room for {short(status.context_tokens)} tokens" if status.context_tokens else ""
    return (Span(safe(telling.model(status.model)), "text"), Span(f" answers{room}", "dim"))


def _mode(status: Status) -> tuple[Span, ...]:
    words = _MODES.get(status.mode)
    if not words:
        return ()
    return Span(f"{status.mode} mode", f"mode.{status.mode}"), Span(f": {words}", "dim")


def _before(title: str, when: str) -> tuple[Span, ...]:
    if not title:
        return ()
    words = one_line(safe(title), 40)
    return (
        Span("/resume", "accent"),
        Span(f" goes on with “{words}”, {when}", "dim"),
    )
