"""All that the prompt keeps on disk, written and read in a thread, in the order it was said."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from qcode.tui.prompt.drafts import DraftFile
from qcode.tui.prompt.history import HistoryFile
from qcode.tui.prompt.scribe import Scribe, project_key
from qcode.tui.prompt.writing import EMPTY, Writing

DRAFT_SECONDS = 0.5
"""So long after a change it is on disk."""


class Keeper:
    """Of one project. Nothing here blocks; a disk that is full or read-only costs the history and
    the draft, never the prompt."""

    def __init__(self, folder: Path, state: Path) -> None:
        key = project_key(folder)
        self._history = HistoryFile(state / "history" / f"{key}.jsonl")
        self._drafts = DraftFile(state / "drafts", key)
        self._scribe = Scribe()
        self._due: asyncio.TimerHandle | None = None
        self._writing: Callable[[], Writing] = lambda: EMPTY

    async def remembered(self) -> tuple[list[Writing], Writing]:
        """Earlier prompts, and the draft that a crash left."""
        history = self._scribe.do(self._history.read)
        draft = self._scribe.do(self._drafts.left)
        found, left = await asyncio.wrap_future(history), EMPTY
        with suppress(OSError):
            left = await asyncio.wrap_future(draft)
        return found, left

    def sent(self, writing: Writing) -> None:
        """It belongs to the history."""
        self._scribe.do(self._history.append, writing)

    def draft(self, writing: Callable[[], Writing]) -> None:
        """Something is being written; what it is by then is kept soon."""
        self._writing = writing
        if self._due is None:
            loop = asyncio.get_running_loop()
            self._due = loop.call_later(DRAFT_SECONDS, self._keep)

    def drop_draft(self) -> None:
        """Nothing is being written any more."""
        self._stop()
        self._scribe.do(self._drafts.keep, EMPTY)

    def _keep(self) -> None:
        self._due = None
        self._scribe.do(self._drafts.keep, self._writing())

    def _stop(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def close(self) -> None:
        """Waits for what is still to be written: a draft that was cleared just now is no draft."""
        if self._due is not None:
            self._stop()
            self._keep()
        self._scribe.close()
