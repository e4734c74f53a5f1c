"""The prompt as a whole: what is typed, and what becomes of it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Literal, cast

from rich.style import Style
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import TextArea

from qcode.protocol.errors import InputError
from qcode.tui.palette import TERMINAL, Palette
from qcode.tui.prompt import messages
from qcode.tui.prompt.completer import Completer
from qcode.tui.prompt.editor import edited
from qcode.tui.prompt.field import Field
from qcode.tui.prompt.history import Recall
from qcode.tui.prompt.intake import Intake
from qcode.tui.prompt.keeping import Keeper
from qcode.tui.prompt.keys import ASKING
from qcode.tui.prompt.operating import Buffer
from qcode.tui.prompt.outbox import Outbox, When
from qcode.tui.prompt.pastes import Tokens, folded_again
from qcode.tui.prompt.searching import Search
from qcode.tui.prompt.sending import CommandRow
from qcode.tui.prompt.sigil import Sigil
from qcode.tui.prompt.strip import Strip
from qcode.tui.prompt.vim import Vim
from qcode.tui.prompt.writing import EMPTY, Writing
from qcode.workspace.index import FileIndex

WARM_SECONDS = 0.5
"""After the start the folders are read: not before the first paint."""


class PromptBox(Vertical):
    """Posts `messages`. Set `turn` to "running" while one runs: Enter steers then, and Tab queues.
    `folder` is the workspace with its links resolved, `state` the folder for what the app keeps."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(row.key, row.what, row.help, show=False) for row in ASKING
    ]
    DEFAULT_CSS = """
    PromptBox { height: auto; }
    PromptBox > Horizontal { height: auto; max-height: 33.34vh; }
    """

    def __init__(
        self,
        folder: Path,
        state: Path,
        commands: Sequence[CommandRow] = (),
        *,
        paint: Callable[[str], Style] | None = None,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.turn: Literal["idle", "running"] = "idle"
        self.queued: tuple[str, ...] = ()  # words that wait: Up wants the last of them back
        self.commands = tuple(commands)
        self.index = FileIndex(folder)
        """Say `index.touch(path)` of what was edited: it is offered first."""
        self._state = state
        self._vim: Vim | None = None
        self._tokens = Tokens()
        self._field = Field(self._taken, lambda text: self._intake.paste(text))
        self._intake = Intake(self._field, self._tokens, folder, self.run_worker)
        self._outbox = Outbox(self, folder, self.run_worker)
        self._strip = Strip(paint or Palette(TERMINAL))
        self._sigil = Sigil()
        self._completer = Completer(self._field, self._strip, self.index, lambda: self.commands)
        self._search: Search | None = None
        self._recall = Recall()
        self._keeper = Keeper(folder, state)
        self._was_empty = True
        self._chord = False

    def compose(self) -> ComposeResult:
        yield self._strip
        with Horizontal():
            yield self._sigil
            yield self._field

    # -- for the screen

    @property
    def text(self) -> str:
        """As it stands there."""
        return self._field.text

    @property
    def writing(self) -> Writing:
        """The text with what its tokens stand for."""
        return self._tokens.writing(self._field.text)

    @property
    def selected_text(self) -> str:
        """What is selected in it."""
        return self._field.selected_text

    @property
    def searches(self) -> bool:
        """Whether earlier prompts are searched."""
        return self._search is not None

    @property
    def vim(self) -> Literal["off", "insert", "normal", "visual", "lines"]:
        """Whether its keys are vim's, and which of them."""
        return self._vim.mode if self._vim else "off"

    def use_vim(self, wanted: Literal["on", "off"]) -> None:
        """Vim's keys from now on, or no longer."""
        self._vim = Vim() if wanted == "on" else None
        self._show_sigil()

    def write(self, writing: Writing | str) -> None:
        """Another text, in place of this one."""
        one = Writing(writing) if isinstance(writing, str) else writing
        self._tokens.load(one)
        self._completer.hush(one.text)
        self._field.show(one.text)

    def take_back(self, texts: Sequence[str]) -> None:
        """Words that waited: ahead of what is being written."""
        self.write(self._recall.ahead(texts, self.writing))

    def clear(self) -> None:
        """Away with the text, and with what is open; Ctrl+_ brings the text back."""
        self._end_search()
        self._recall.rest()
        self._field.show("")

    def focus(self, scroll_visible: bool = True) -> "PromptBox":  # noqa: FBT001, FBT002 - Textual's signature
        """The keys go to the text."""
        self._field.focus(scroll_visible)
        return self

    # -- its life

    def on_mount(self) -> None:
        self.run_worker(self._remember(), name="prompt history")
        self.set_timer(WARM_SECONDS, self._completer.warm)

    def on_unmount(self) -> None:
        self._completer.close()
        self._keeper.close()

    async def _remember(self) -> None:
        earlier, draft = await self._keeper.remembered()
        self._recall.load(earlier)
        if not draft.text:
            return
        if self._field.text:  # typed before it was read: the draft is an Up away
            self._recall.add(draft)
            return
        self.write(draft)
        self._say("This was being written when qcode ended; Ctrl+C clears it.", "info")

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        empty = not self._field.text
        if empty and not self._was_empty:
            self.post_message(messages.Emptied())
        self._was_empty = empty
        self._show_sigil()
        if self._search is None:
            self._completer.look()
            self._keeper.draft(lambda: self.writing)

    def on_text_area_selection_changed(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        self._completer.moved()

    def _show_sigil(self) -> None:
        self._sigil.tell(self.vim, self._field.text)

    def _say(self, text: str, level: Literal["info", "warning"] = "warning") -> None:
        self.post_message(messages.Said(text, level))

    # -- keys that what is open takes before the text

    def _taken(self, event: events.Key) -> bool:
        chord, self._chord = self._chord, False
        if chord and event.key == "ctrl+e":
            self.action_edit()
            return True
        if self._search is not None:
            return self._searched(event)
        if (took := self._completer.press(event.key)) in ("taken", "send"):
            if took == "send":
                self._send("now")
            return True
        return self._vim is not None and self._pressed_vim(self._vim, event)

    def _searched(self, event: events.Key) -> bool:
        assert self._search is not None
        if self._search.press(event.key, event.character):
            return True
        result = self._search.before if event.key == "escape" else self._search.result
        self._end_search()
        self.write(result)
        return event.key in ("escape", "enter")

    def _end_search(self) -> None:
        if self._search is not None:
            self._search = None
            self._strip.hide()

    def _pressed_vim(self, vim: Vim, event: events.Key) -> bool:
        answer = vim.press(event.key, event.character, Buffer(self.text, self._field.cursor))
        match answer:
            case Buffer(text, cursor, selected):
                self._completer.hush(text)
                self._field.show(text, cursor, selected)
            case "older":
                self.action_older()
            case "newer":
                self.action_newer()
        self._show_sigil()
        return answer is not None

    # -- the other keys

    def action_newline(self) -> None:
        """A new line, in place of what is selected."""
        self._intake.insert("\n")

    def action_attach(self) -> None:
        """The clipboard's picture."""
        self._intake.take_clipboard(self._state / "pictures", self._say)

    def action_older(self) -> None:
        """An earlier prompt; one that waits is taken out of the queue, not sent twice."""
        if self.queued and not self.text:
            self.post_message(messages.UnqueueWanted())
        elif (entry := self._recall.older(self.writing, self.queued)) is not None:
            self.write(entry)

    def action_newer(self) -> None:
        """A later prompt."""
        if (entry := self._recall.newer(self.queued)) is not None:
            self.write(entry)

    def action_search(self) -> None:
        """Look through earlier prompts."""
        self._completer.hide()
        self._search = Search(self._field, self._strip, self._recall, self.writing)

    def action_chord(self) -> None:
        """The next key is part of this one."""
        self._chord = True

    def action_edit(self) -> None:
        """Write in an editor."""
        self.run_worker(self._edit(), name="editor", exclusive=True, group="editor")

    async def _edit(self) -> None:
        before = self.writing
        try:
            text = await edited(cast(App[object], self.app), before.expanded())
        except InputError as error:
            self._say(str(error))
            return
        text = folded_again(text, before.pastes, before.text)
        self.write(Writing(text, before.pastes, before.pictures).tidy())

    def action_submit(self) -> None:
        """Or a new line, behind a backslash."""
        at = self._field.cursor
        if self.text[max(0, at - 1) : at] == "\\":
            self._field.put("\n", at - 1, at)
        else:
            self._send("now")

    def action_queue(self) -> None:
        """For after the running turn."""
        if self.turn == "running":
            self._send("later")

    # -- sending

    def _send(self, when: When) -> None:
        if self._intake.waiting:
            self._intake.then(lambda: self._send(when))
            return
        self._outbox.send(self.writing, when)

    def sent(self, writing: Writing) -> None:
        """It is out of the box: kept for Up, and a draft no longer."""
        if self._recall.add(writing):
            self._keeper.sent(writing)
        self._was_empty = True
        self.write(EMPTY)
        self._field.history.clear()
        if self._vim:
            self._vim.fresh()
        self._keeper.drop_draft()
