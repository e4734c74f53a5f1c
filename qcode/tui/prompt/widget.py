"""The prompt as a whole: what is typed, and what becomes of it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from textual import events
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static, TextArea

from qcode.protocol.text import plain
from qcode.tui.prompt import messages
from qcode.tui.prompt.field import Field
from qcode.tui.prompt.history import HistoryFile, Recall
from qcode.tui.prompt.keys import ASKING
from qcode.tui.prompt.scribe import Scribe, project_key
from qcode.tui.prompt.sending import Command, CommandRow, Shell, Unknown, Words, meant
from qcode.tui.prompt.writing import EMPTY, Writing

SIGIL = " ❯ "  # noqa: RUF001 - the sign of a prompt, as in shells


class PromptBox(Vertical):
    """Posts `messages`: Submitted, Steered, Queued, ShellWanted, CommandWanted, Emptied, Said.

    Set `turn` to "running" while one runs: Enter steers then, and Tab queues. `folder` is the
    workspace with its links resolved, `state` the folder for what the app keeps.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(row.key, row.what, row.help, show=False) for row in ASKING
    ]
    DEFAULT_CSS = """
    PromptBox { height: auto; }
    PromptBox > Horizontal { height: auto; max-height: 33.34vh; }
    PromptBox .sigil { width: 3; height: 1; }
    """

    def __init__(
        self,
        folder: Path,
        state: Path,
        commands: Sequence[CommandRow] = (),
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.turn: Literal["idle", "running"] = "idle"
        self.commands = {row.name: row for row in commands}
        self._field = Field(self._taken, self._pasted)
        self._recall = Recall()
        self._scribe = Scribe()
        self._history = HistoryFile(state / "history" / f"{project_key(folder)}.jsonl")
        self._pastes: dict[int, str] = {}
        self._pictures: dict[int, str] = {}
        self._was_empty = True

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(SIGIL, classes="sigil")
            yield self._field

    # -- for the screen

    @property
    def text(self) -> str:
        """As it stands there."""
        return self._field.text

    @property
    def writing(self) -> Writing:
        """The text with what its tokens stand for."""
        return Writing(self._field.text, self._pastes, self._pictures).tidy()

    def write(self, writing: Writing | str) -> None:
        """Another text, in place of this one."""
        one = Writing(writing) if isinstance(writing, str) else writing
        self._pastes, self._pictures = dict(one.pastes), dict(one.pictures)
        self._field.show(one.text)

    def clear(self) -> None:
        """Away with the text; Ctrl+_ brings it back."""
        self._recall.rest()
        self._field.show("")

    def focus(self, scroll_visible: bool = True) -> "PromptBox":  # noqa: FBT001, FBT002 - Textual's signature
        """The keys go to the text."""
        self._field.focus(scroll_visible)
        return self

    # -- its life

    def on_mount(self) -> None:
        self.run_worker(self._remember(), name="prompt history")

    async def _remember(self) -> None:
        self._recall.load(await asyncio.wrap_future(self._scribe.do(self._history.read)))

    def on_unmount(self) -> None:
        self._scribe.close()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        empty = not self._field.text
        if empty and not self._was_empty:
            self.post_message(messages.Emptied())
        self._was_empty = empty

    def on_text_area_selection_changed(self, event: TextArea.SelectionChanged) -> None:
        event.stop()

    # -- keys

    def _taken(self, event: events.Key) -> bool:
        return False

    def _pasted(self, text: str) -> None:
        field = self._field
        start, end = sorted(map(field.characters, field.selection))
        field.put(plain(text.replace("\r\n", "\n").replace("\r", "\n")), start, end)

    def action_newline(self) -> None:
        start, end = self._field.selection
        self._field.replace("\n", start, end, maintain_selection_offset=False)

    def action_older(self) -> None:
        if (entry := self._recall.older(self.writing)) is not None:
            self.write(entry)

    def action_newer(self) -> None:
        if (entry := self._recall.newer()) is not None:
            self.write(entry)

    def action_search(self) -> None:
        raise SkipAction

    def action_submit(self) -> None:
        """Or a new line, behind a backslash."""
        at = self._field.cursor
        if self.text[max(0, at - 1) : at] == "\\":
            self._field.put("\n", at - 1, at)
            return
        self._send("now")

    def action_queue(self) -> None:
        if self.turn == "running":
            self._send("later")

    # -- sending

    def _send(self, when: Literal["now", "later"]) -> None:
        writing = self.writing
        match meant(writing.expanded(), self.commands):
            case None:
                return
            case Unknown(sentence):
                self.post_message(messages.Said(sentence))
                return
            case Shell(command, share):
                self._sent(writing, messages.ShellWanted(command, share))
            case Command(name, argument):
                self._sent(writing, messages.CommandWanted(name, argument))
            case Words(text):
                self._sent(writing, self._words(text, writing, when))

    def _words(self, text: str, writing: Writing, when: Literal["now", "later"]) -> messages.Told:
        if self.turn == "idle":
            return messages.Submitted(text, (), writing.text)
        if when == "later":
            return messages.Queued(text, (), writing.text)
        return messages.Steered(text, writing.text)

    def _sent(self, writing: Writing, message: messages.Told) -> None:
        if self._recall.add(writing):
            self._scribe.do(self._history.append, writing)
        self._was_empty = True
        self.write(EMPTY)
        self._field.history.clear()
        self.post_message(message)
