"""All that the prompt keeps on disk, written and read in a thread, in the order it was said."""

import asyncio
from contextlib import suppress
from pathlib import Path

from qcode.tui.prompt.drafts import DraftFile
from qcode.tui.prompt.history import HistoryFile
from qcode.tui.prompt.scribe import Scribe, project_key
from qcode.tui.prompt.writing import EMPTY, Writing


class Keeper:
    """Of one project. Nothing here blocks; a disk that is full or read-only costs the history and
    the draft, never the prompt."""

    def __init__(self, folder: Path, state: Path) -> None:
        key = project_key(folder)
        self._history = HistoryFile(state / "history" / f"{key}.jsonl")
        self._drafts = DraftFile(state / "drafts", key)
        self._scribe = Scribe()

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

    def draft(self, writing: Writing) -> None:
        """It is being written."""
        self._scribe.do(self._drafts.keep, writing)

    def close(self) -> None:
        """Waits for what is still to be written."""
        self._scribe.close()
