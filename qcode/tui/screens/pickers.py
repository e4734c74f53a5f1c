"""A list to choose from, over the conversation: the screen under all pickers.

It gets its rows as data, or as they come, and gives back a value of the caller's own type; None =
nothing was chosen. It knows no session, no server and no engine.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import ClassVar, Generic

import msgspec
from msgspec.structs import replace
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.worker import Worker

from qcode.protocol.errors import QcodeError
from qcode.tui.lines import Line
from qcode.tui.paint import Paint
from qcode.tui.picker.frame import Frame, Hint, Question, Sheet, frame, tall
from qcode.tui.picker.keys import KEYS
from qcode.tui.picker.rows import Choices, Coming, Deeper, Order, Preview, Row, Source, T
from qcode.tui.picker.typing import Typed
from qcode.tui.picker.view import PickerView

PAUSE_SECONDS = 0.08
"""After the last key, before something slow is asked: a preview, a search in texts."""

CHOOSE = (Hint("⏎", "choose"), Hint("esc", "back"))


class About(msgspec.Struct, Generic[T], frozen=True):
    """What a picker is about."""

    sheet: Sheet
    source: Source[T]
    preview: Preview[T] | None = None
    deeper: Deeper[T] | None = None
    order: Order = "best first"


class Picker(ModalScreen[T | None]):
    """Choose one row."""

    WHERE: ClassVar[str] = "picker"
    """Its name in `keys.SCREENS`."""
    BINDINGS = [  # noqa: RUF012 - Textual's own form
        *(Binding(key, what, words, show=False) for key, what, words in KEYS),
        # a modal screen hides the keys of the app from Textual; an app without help does nothing
        Binding("f1", "app.do('help')", "keys of this screen", show=False),
        Binding("f3,alt+x", "commands", "find a command by its words", show=False),
    ]
    DEFAULT_CSS = """
    Picker { align: left bottom; }
    Picker PickerView { background: $surface; }
    Picker.page PickerView { background: $background; height: 100%; }
    """

    def __init__(self, about: About[T], paint: Paint) -> None:
        super().__init__()
        self.about = about
        self.sheet = about.sheet
        rows: Sequence[Row[T]] = () if callable(about.source) else about.source
        self.choices: Choices[T] = Choices(rows, about.order)
        self._answer: Callable[[str], None] | None = None
        """Takes the reply to the question in the search line."""
        self.view = PickerView(self._drawn, paint, self._types)
        self.set_class(self.sheet.place == "page", "page")

    def compose(self) -> ComposeResult:
        """Nothing but the view."""
        yield self.view

    def on_mount(self) -> None:
        """Begin to look for rows."""
        if self.sheet.place == "foot":
            self.styles.background = "transparent"  # also where the app's own style says another
        self.view.focus()
        if callable(self.about.source):
            self.sheet = replace(self.sheet, status=self.sheet.status or "looking …")
            self.work_on("rows", partial(self._gather, self.about.source))
        if self.choices.query:
            self._searched(self.choices.query)
        self._moved()

    def on_resize(self) -> None:
        """Another height for the strip."""
        self.changed()

    # what is shown

    def changed(self) -> None:
        """Rows, search or sheet are not what they were."""
        if self.sheet.place == "foot":
            most = max(8, self.app.size.height * 2 // 3)
            self.view.styles.height = min(tall(self.choices) + (not self.choices.found) * 2, most)
        self.view.show()

    def _drawn(self, width: int, height: int) -> Frame:
        return frame(self.choices, self.sheet, width, height)

    def say(self, trouble: str) -> None:
        """A sentence in the last line, until the next key."""
        self.sheet = replace(self.sheet, trouble=trouble)
        self.changed()

    def ask(self, question: Question, answer: Callable[[str], None]) -> None:
        """Ask in the search line; `answer` gets what is typed, or the key that is pressed."""
        self.sheet = replace(self.sheet, question=question, trouble="")
        self._answer = answer
        self.changed()

    def _settle(self) -> None:
        self.sheet = replace(self.sheet, question=None)
        self._answer = None
        self.changed()

    # rows

    async def _gather(self, source: Coming[T]) -> None:
        try:
            async for rows in source():
                self.choices.add(rows)
                self._moved()
        finally:
            self.sheet = replace(self.sheet, status="")
            if self.is_mounted:
                self._moved()

    def again(self, source: Coming[T]) -> None:
        """All rows anew, from here."""
        self.choices.replace(())
        self.sheet = replace(self.sheet, status="looking …")
        self.work_on("rows", partial(self._gather, source))
        self.changed()

    def _moved(self) -> None:
        """Another row may be at hand."""
        self.looked_at(self.choices.row)
        if self.about.preview and self.sheet.preview is not None:
            self.work_on("preview", self._look)
        self.changed()

    def looked_at(self, row: Row[T] | None) -> None:
        """For those who show what a row would do at once."""

    async def _look(self) -> None:
        row, preview = self.choices.row, self.about.preview
        if row is None or preview is None:
            return self._preview(())
        await asyncio.sleep(PAUSE_SECONDS)
        self._preview(await preview(row.value))
        return None

    def _preview(self, lines: Iterable[Line]) -> None:
        self.sheet = replace(self.sheet, preview=tuple(lines), scroll=0)
        self.view.show()

    async def _search_deeper(self, query: str, deeper: Deeper[T]) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        self.choices.add_deeper(query, await deeper(query))
        self._moved()

    # keys

    def _types(self, key: str, character: str | None) -> bool:
        asked = self.sheet.question
        if asked and asked.kind == "key":
            return key not in ("escape", "ctrl+c")
        return Typed(asked.typed if asked else self.choices.query).key(key, character) is not None

    def on_picker_view_typed(self, event: PickerView.Typed) -> None:
        """Into the question, if one is asked, else into the search."""
        self.sheet = replace(self.sheet, trouble="")
        asked = self.sheet.question
        if asked and asked.kind == "key":
            return self._reply(event.key)
        line = Typed(asked.typed if asked else self.choices.query)
        line = (
            line.paste(event.pasted)
            if event.pasted
            else (line.key(event.key, event.character) or line)
        )
        if asked:
            self.sheet = replace(self.sheet, question=replace(asked, typed=line.text))
            return self.changed()
        return self._searched(line.text)

    def _searched(self, query: str) -> None:
        self.choices.search(query)
        if self.about.deeper and len(query.strip()) > 1:
            self.work_on("deeper", partial(self._search_deeper, query, self.about.deeper))
        self._moved()

    def _reply(self, words: str) -> None:
        answer = self._answer
        self._settle()
        if answer:
            answer(words)

    def on_picker_view_pointed(self, event: PickerView.Pointed) -> None:
        """A row that is clicked is chosen."""
        self.choices.to(event.at)
        self._moved()
        self.action_choose()

    def on_picker_view_wheeled(self, event: PickerView.Wheeled) -> None:
        """Rows or preview."""
        if event.half == "preview":
            self.action_scroll(3 * event.steps)
        else:
            self.action_move(event.steps)

    def action_move(self, steps: int) -> None:
        """Another row."""
        if self.sheet.question is None:
            self.choices.move(steps)
            self.sheet = replace(self.sheet, trouble="")
            self._moved()

    def action_scroll(self, lines: int) -> None:
        """The preview."""
        most = max(0, len(self.sheet.preview or ()) - 3)
        self.sheet = replace(self.sheet, scroll=min(max(0, self.sheet.scroll + lines), most))
        self.view.show()

    def action_choose(self) -> None:
        """Done: this row; or the reply to the question."""
        asked, row = self.sheet.question, self.choices.row
        if asked:
            return self._reply(asked.typed)
        if row and row.mark != "bad":
            self.choose(row.value)
        elif row:
            self.say(row.note or "This one cannot be chosen.")
        return None

    def choose(self, value: T) -> None:
        """What choosing does."""
        self.dismiss(value)

    def action_back(self) -> None:
        """Close the question; else the picker."""
        if self.sheet.question:
            self._settle()
        else:
            self.left()
            self.dismiss(None)

    async def action_commands(self) -> None:
        """In place of the list: what is found there is about the conversation."""
        self.left()
        self.dismiss(None)
        await self.run_action("app.do('commands')")

    def left(self) -> None:
        """For those who must put something back."""

    def work_on(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do something that takes a while; the work of the same name before it ends."""

        async def guarded() -> None:
            await self._guarded(work)

        # the function, not its coroutine: one that is cancelled before it begins would be lost
        _worker: Worker[None] = self.run_worker(guarded, group=what, exclusive=True)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except QcodeError as error:
            self.say(str(error))
        except Exception as error:  # noqa: BLE001 - a list that fails must not end the session
            self.say(f"This went wrong: {type(error).__name__}: {error}.")
