"""Asks the file index in threads, and brings the answers back to the event loop."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from qcode.workspace.fuzzy import Found
from qcode.workspace.index import FileIndex

OFFERED = 24
_ECHO_SECONDS = 0.008
"""The key is on the screen before its answer is looked for: both want the interpreter."""
_PAINT_SECONDS = 0.02
"""The first answer is on the screen before a better one is looked for, for the same reason."""
_AGAIN_SECONDS = 0.1
"""While the first index is being made, a question is asked anew so often."""


class Finder:
    """One question at a time: a new one ends the one before."""

    def __init__(self, index: FileIndex, found: Callable[[Sequence[Found]], None]) -> None:
        self._index = index
        self._found = found
        self._question = 0
        self._letters: str | None = None
        self._building = False
        self._closed = False
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="prompt-files")

    def warm(self) -> None:
        """Make the index, unless it is fresh. Never blocks."""
        if self._building or self._closed or not self._index.stale:
            return
        self._building = True
        self._threads.submit(self._build, asyncio.get_running_loop())

    def ask(self, letters: str) -> None:
        """Answers come to `found`, ever better ones, on the event loop."""
        self._question += 1
        self._letters = letters
        loop = asyncio.get_running_loop()
        loop.call_later(_ECHO_SECONDS, self._begin, letters, self._question)
        if self._building:
            loop.call_later(_AGAIN_SECONDS, self._again, self._question)
        self.warm()

    def _begin(self, letters: str, question: int) -> None:
        if question == self._question and not self._closed:
            self._threads.submit(self._answer, letters, question, asyncio.get_running_loop())

    def forget(self) -> None:
        """Nobody waits for an answer."""
        self._question += 1
        self._letters = None

    def close(self) -> None:
        """Ends what runs, in a moment."""
        self._closed = True
        self.forget()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _again(self, question: int) -> None:
        if question == self._question and self._letters is not None and not self._closed:
            self.ask(self._letters)

    def _build(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            self._index.build(lambda: self._closed)
        finally:
            with suppress(RuntimeError):  # the loop ended before us
                loop.call_soon_threadsafe(self._built)

    def _built(self) -> None:
        self._building = False
        self._again(self._question)

    def _answer(self, letters: str, question: int, loop: asyncio.AbstractEventLoop) -> None:
        answers = self._index.find(letters, OFFERED, lambda: question != self._question)
        for number, found in enumerate(answers):
            with suppress(RuntimeError):  # the loop ended before us
                loop.call_soon_threadsafe(self._arrived, found, question)
            if not number:
                time.sleep(_PAINT_SECONDS)

    def _arrived(self, found: Sequence[Found], question: int) -> None:
        if question == self._question:
            self._found(found)
