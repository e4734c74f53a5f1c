"""What an engine says, in a file that does not grow without end."""

import os
import threading
from pathlib import Path
from typing import IO

LONGEST = 512 * 1024
"""Bytes; beyond them the older half goes."""


class Output:
    """A log file, for its owner's eyes alone."""

    def __init__(self, file: Path, longest: int = LONGEST) -> None:
        self._file = file
        self._longest = longest
        self._lock = threading.Lock()

    def add(self, data: bytes) -> None:
        """At the end; a disk that is full stops nothing."""
        with self._lock:
            try:
                descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                with os.fdopen(descriptor, "ab") as out:
                    out.write(data)
                    size = out.tell()
                if size > self._longest:
                    self._halve()
            except OSError:
                return

    def _halve(self) -> None:
        kept = self._file.read_bytes()[-self._longest // 2 :]
        whole = kept[kept.find(b"\n") + 1 :]
        self._file.write_bytes(whole)

    def follow(self, pipe: IO[bytes]) -> threading.Thread:
        """Add all that comes through `pipe`, in a thread that ends with it."""
        thread = threading.Thread(target=self._copy, args=(pipe,), daemon=True)
        thread.start()
        return thread

    def _copy(self, pipe: IO[bytes]) -> None:
        with pipe:
            while data := os.read(pipe.fileno(), 65536):
                self.add(data)

    def tail(self, since: int = 0, limit: int = 65536) -> str:
        """The end of what was said behind the byte `since`."""
        try:
            data = self._file.read_bytes()
        except OSError:
            return ""
        return data[since if since <= len(data) else 0 :][-limit:].decode("utf-8", "replace")

    def size(self) -> int:
        """Bytes so far."""
        try:
            return self._file.stat().st_size
        except OSError:
            return 0
