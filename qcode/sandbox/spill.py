"""Private files for output that is too long for the model: 0600 in a folder of 0700."""

import os
from itertools import count
from pathlib import Path

SPILL_BYTES = 64 * 1024 * 1024
CUT_NOTE = f"\n[cut here: more than {SPILL_BYTES // 1024 // 1024} MiB]\n".encode()


class SpillFile:
    """A file that takes what is written until it is full. Never raises once it is open."""

    def __init__(self, folder: Path, stem: str, most_bytes: int = SPILL_BYTES) -> None:
        """Make `stem-1.txt`, or the next free number. Raises OSError."""
        self.path, self._descriptor = _create(folder, stem)
        self._room = most_bytes
        """Bytes that still fit; -1 = nothing more is taken."""

    def write(self, data: bytes) -> None:
        """Append `data`, or as much as fits; then a note, then nothing more."""
        if self._room < 0 or not data:
            return
        self._append(data[: self._room])
        if len(data) > self._room >= 0:
            self._append(CUT_NOTE)
        self._room = max(self._room - len(data), -1)

    def close(self) -> None:
        """Let go of the file; writing afterwards does nothing."""
        self._room = -1
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:  # a full disk must not end the command: what is there stays readable
            self._room = -1


def _create(folder: Path, stem: str) -> tuple[Path, int]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    for number in count(1):
        path = folder / f"{stem}-{number}.txt"
        try:
            return path, os.open(path, flags, 0o600)
        except FileExistsError:
            continue
    raise AssertionError("unreachable: numbers do not end")
