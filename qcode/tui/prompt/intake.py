"""What comes into the prompt otherwise than key by key: pastes, dragged pictures, the clipboard."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

from qcode.protocol.errors import InputError
from qcode.tui.prompt import pictures
from qcode.tui.prompt.field import Field
from qcode.tui.prompt.pastes import Tokens, cleaned, dropped_pictures

Run = Callable[[Coroutine[None, None, None]], object]
"""Runs it beside the keys."""


class Intake:
    """Files are looked at in threads; while that lasts, `waiting` is true."""

    def __init__(self, field: Field, tokens: Tokens, folder: Path, run: Run) -> None:
        self._field = field
        self._tokens = tokens
        self._folder = folder
        self._run = run
        self._at_work = 0
        self._afterwards: Callable[[], None] | None = None

    @property
    def waiting(self) -> bool:
        """Something is on its way into the text."""
        return self._at_work > 0

    def then(self, work: Callable[[], None]) -> None:
        """Do this once nothing is on its way any more."""
        self._afterwards = work

    def insert(self, text: str) -> None:
        """In place of what is selected."""
        start, end = sorted(map(self._field.characters, self._field.selection))
        self._field.put(text, start, end)

    def paste(self, text: str) -> None:
        """Long text as a token; paths of pictures as pictures."""
        text = cleaned(text)
        if paths := dropped_pictures(text, self._folder):
            self._at_work += 1
            self._run(self._drop(paths, text))
        else:
            self.insert(self._tokens.paste(text))

    def take_clipboard(self, folder: Path, say: Callable[[str], None]) -> None:
        """Its picture, kept as a file in `folder`; `say` is told why not."""
        self._at_work += 1
        self._run(self._take(folder, say))

    async def _drop(self, paths: Sequence[Path], text: str) -> None:
        if await asyncio.to_thread(pictures.usable, paths):
            self.insert("".join(f"{self._tokens.picture(path)} " for path in paths))
        else:
            self.insert(self._tokens.paste(text))
        self._done()

    async def _take(self, folder: Path, say: Callable[[str], None]) -> None:
        try:
            path = await asyncio.to_thread(pictures.from_clipboard, folder)
        except InputError as error:
            say(str(error))
        else:
            self.insert(f"{self._tokens.picture(path)} ")
        self._done()

    def _done(self) -> None:
        self._at_work -= 1
        work = self._afterwards
        if work is not None and not self.waiting:
            self._afterwards = None
            work()
