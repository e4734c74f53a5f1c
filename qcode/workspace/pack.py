"""Many objects of the shadow store in one file: making files costs more than filling them."""

import os
import zlib
from pathlib import Path

WAITING_BYTES = 1024 * 1024
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
"""Flags of a file that must not be there yet."""


to_disk = getattr(os, "fdatasync", os.fsync)
"""macOS and Windows have only `fsync`."""


class Pack:
    """Many objects in one file, which is made with the first of them."""

    def __init__(self, path: Path, known: dict[str, bytes]) -> None:
        self._path = path
        self._known = known
        self._descriptor: int | None = None
        self._waiting = bytearray()
        self._end = 0

    def add(self, name: str, data: bytes) -> bytes:
        """Its name, with its place."""
        if name not in self._known:
            packed = zlib.compress(data, 1)
            place = f"{name}@{self._path.name}:{self._end}:{len(packed)}"
            self._known[name] = place.encode()
            self._waiting += packed
            self._end += len(packed)
            if len(self._waiting) > WAITING_BYTES:
                self.flush()
        return self._known[name]

    def flush(self) -> None:
        """All of it is with the system."""
        if self._waiting:
            if self._descriptor is None:
                self._descriptor = os.open(self._path, NEW, 0o600)
            rest = memoryview(bytes(self._waiting))
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            self._waiting.clear()

    def end(self) -> None:
        """All of it is on the disk."""
        self.flush()
        if self._descriptor is not None:
            to_disk(self._descriptor)

    def close(self) -> None:
        """Nothing more comes; what waits must have been flushed."""
        if self._descriptor is not None:
            os.close(self._descriptor)


def piece(path: Path, start: int, length: int) -> bytes:
    """One object of a pack, still compressed."""
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length)
