"""What was being written when qcode ended without being told to. Everything here blocks.

Each process keeps a file of its own; what a process left that lives no more is offered to the next.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from qcode.tui import private
from qcode.tui.prompt.writing import EMPTY, Writing


class DraftFile:
    """The drafts of one project."""

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        self._key = key
        self._own = folder / f"{key}.{os.getpid()}.json"

    def keep(self, writing: Writing) -> None:
        """In place of what was kept before; an empty one removes it. Raises OSError."""
        if not writing.text.strip():
            self._own.unlink(missing_ok=True)
            return
        private.make(self._folder)
        beside = self._own.with_suffix(".new")
        file = os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(msgspec.json.encode(writing))
        beside.replace(self._own)

    def left(self) -> Writing:
        """The newest that nobody is at work on any more; all such are removed."""
        found = EMPTY
        for path in sorted(self._folder.glob(f"{self._key}.*.json"), key=_changed_at):
            if _lives(path):
                continue
            with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                found = msgspec.json.decode(path.read_bytes(), type=Writing)
            with suppress(OSError):
                path.unlink()
        return found


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another start has just taken it
        return 0.0


def _lives(path: Path) -> bool:
    """Whether the process in a draft's name does. There is no harmless question on Windows."""
    number = path.name.rsplit(".", 2)[-2]
    if not number.isdecimal() or int(number) == os.getpid():
        return number.isdecimal()
    if sys.platform == "win32":
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # somebody else's
    return True
