"""Completion while it is open: what is offered, which row is chosen, and the keys for it."""

from collections.abc import Callable, Sequence
from typing import Literal

from qcode.tui.prompt.asked import Asked, Row, asked, command_rows, file_row
from qcode.tui.prompt.field import Field
from qcode.tui.prompt.finder import Finder
from qcode.tui.prompt.sending import CommandRow
from qcode.tui.prompt.strip import Strip
from qcode.workspace.fuzzy import Found
from qcode.workspace.index import FileIndex

_STEPS = {"up": -1, "down": 1}


class Completer:
    """Opens by itself behind `@` and `/`, closes when nothing fits; Esc closes it for that word."""

    def __init__(
        self,
        field: Field,
        strip: Strip,
        index: FileIndex,
        commands: Callable[[], Sequence[CommandRow]],
    ) -> None:
        self._field = field
        self._strip = strip
        self._finder = Finder(index, self._found)
        self._commands = commands
        self._asked: Asked | None = None
        self._rows: Sequence[Row] = ()
        self._answers: Asked | None = None
        """What the rows are the answer to."""
        self._chosen = 0
        self._dismissed = -1
        """Where the word begins for which it was closed."""
        self._quiet: str | None = None
        """A text that was put there whole, and is not to be completed."""

    @property
    def is_open(self) -> bool:
        """Whether something is offered."""
        return bool(self._rows)

    def warm(self) -> None:
        """Read the folders before anybody asks."""
        self._finder.warm()

    def close(self) -> None:
        """For good."""
        self._finder.close()

    def hush(self, text: str) -> None:
        """Offer nothing for this text until it is changed."""
        self._quiet = text
        self.hide()

    def look(self) -> None:
        """The text has changed."""
        now = self._now()
        if now is None or now.start != self._dismissed:
            self._dismissed = -1
        if now is None or now.start == self._dismissed:
            self.hide()
        elif now != self._asked:
            self._asked = now
            if now.kind == "command":
                self._offer(command_rows(now.letters, self._commands()))
            else:
                self._finder.ask(now.letters)

    def moved(self) -> None:
        """The cursor may have left the word."""
        if self._asked is not None and self._now() != self._asked:
            self.hide()

    def _now(self) -> Asked | None:
        field = self._field
        text = field.text
        if text == self._quiet or not field.selection.is_empty:
            return None
        self._quiet = None
        return asked(text, field.cursor)

    def hide(self) -> None:
        """Offer nothing."""
        if self._asked is not None:
            self._asked = None
            self._finder.forget()
            self._offer(())

    def press(self, key: str) -> Literal["taken", "not", "send"]:
        """What a key does while it is open; `send` = a command is whole, and Enter was meant so."""
        self.look()  # keys of one burst come before the news of the text that they follow
        if not self._rows or self._answers != self._asked:
            return "not"
        if key in _STEPS:
            self._chosen = (self._chosen + _STEPS[key]) % len(self._rows)
            self._strip.offer(self._rows, self._chosen)
            return "taken"
        if key == "escape":
            self._dismissed = self._asked.start if self._asked else -1
            self.hide()
            return "taken"
        return self._take(key) if key in ("tab", "enter") else "not"

    def _take(self, key: str) -> Literal["taken", "not", "send"]:
        row, now, text = self._rows[self._chosen], self._asked, self._field.text
        if now is None:
            return "not"
        there = text[now.start : now.end]
        end = now.end + (row.put.endswith(" ") and text[now.end : now.end + 1] == " ")
        if key == "enter" and there == row.put.rstrip() and not row.goes_on:
            self.hide()
            return "not"
        self._field.put(row.put, now.start, end)
        if not row.goes_on:
            self.hush(self._field.text)
        whole = now.kind == "command" and not row.put.endswith(" ")
        return "send" if whole and key == "enter" else "taken"

    def _found(self, found: Sequence[Found]) -> None:
        self._offer([file_row(one.path, one.marks) for one in found])

    def _offer(self, rows: Sequence[Row]) -> None:
        """The chosen row stays chosen where better answers come to the same question."""
        chosen = 0
        if self._chosen and self._answers == self._asked:
            put = self._rows[self._chosen].put
            chosen = next((at for at, row in enumerate(rows) if row.put == put), 0)
        self._rows, self._chosen, self._answers = rows, chosen, self._asked
        self._strip.offer(rows, chosen)
