"""Earlier prompts of a project: a file of JSON lines, and the way through them by keys.

Files here are read and written where the event loop is not: see `scribe`.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from qcode.tui import private
from qcode.tui.prompt.writing import EMPTY, Writing, joined

try:
    import fcntl
except ImportError:  # Windows: two qcodes in one project may lose a line of each other there
    fcntl = None  # type: ignore[assignment]

ENTRIES = 1000
"""So many are offered, and kept when the file has grown too large."""
FILE_BYTES = 2 * 1024 * 1024
ENTRY_BYTES = 100_000
"""A longer prompt is not kept: it is a file somebody pasted, and they still have it."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Writing).decode


class HistoryFile:
    """The file. Everything here blocks; several processes may use it at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Writing]:
        """The oldest first; lines that cannot be read are passed over."""
        try:
            with self._path.open("rb") as file:
                lines = file.read(2 * FILE_BYTES).splitlines()
        except OSError:
            return []
        return list(_entries(lines[-ENTRIES:]))

    def append(self, entry: Writing) -> None:
        """Raises OSError."""
        line = _encode(entry) + b"\n"
        if len(line) > ENTRY_BYTES:
            return
        private.make(self._path.parent)
        with self._locked():
            _write(self._path, os.O_APPEND, line)
            if self._path.stat().st_size > FILE_BYTES:
                self._shorten()

    def _shorten(self) -> None:
        """Keep the newest entries, and no more than half of what the file may hold."""
        kept: list[bytes] = []
        room = FILE_BYTES // 2
        for line in reversed(self._path.read_bytes().splitlines(keepends=True)[-ENTRIES:]):
            room -= len(line)
            if room < 0:
                break
            kept.append(line)
        beside = self._path.with_suffix(".new")
        _write(beside, os.O_TRUNC, b"".join(reversed(kept)))
        beside.replace(self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Another file is locked: this one is replaced when it is shortened."""
        if fcntl is None:
            yield
            return
        lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _write(path: Path, how: int, data: bytes) -> None:
    file = os.open(path, os.O_CREAT | os.O_WRONLY | how, 0o600)
    try:
        os.write(file, data)
    finally:
        os.close(file)


def _entries(lines: Sequence[bytes]) -> Iterator[Writing]:
    for line in lines:
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            yield _decode(line)


def worth_keeping(entry: Writing) -> bool:
    """A blank before it says: keep this nowhere, as in shells."""
    return bool(entry.text.strip()) and not entry.text[0].isspace()


class Recall:
    """A walk through earlier prompts; what was being written waits at its end."""

    def __init__(self, entries: Sequence[Writing] = ()) -> None:
        self._entries = list(entries)
        self._at = len(self._entries)
        self._unsent = EMPTY

    def load(self, entries: Sequence[Writing]) -> None:
        """Put what a file holds before what was said meanwhile."""
        self._entries[:0] = entries
        self._at += len(entries)

    def add(self, entry: Writing) -> bool:
        """Something was sent; False = it is the last one again, or not to be kept."""
        new = worth_keeping(entry) and (not self._entries or self._entries[-1] != entry)
        if new:
            self._entries.append(entry)
            del self._entries[:-ENTRIES]
        self.rest()
        return new

    def rest(self) -> None:
        """The walk is over."""
        self._at, self._unsent = len(self._entries), EMPTY

    def older(self, now: Writing, but: Collection[str] = ()) -> Writing | None:
        """The one before that says none of `but`; None = there is none."""
        if self._at == len(self._entries):
            self._unsent = now
        return self._step(range(self._at - 1, -1, -1), but)

    def newer(self, but: Collection[str] = ()) -> Writing | None:
        """The one after, at last what was being written; None = that is where we are."""
        if self._at >= len(self._entries):
            return None
        found = self._step(range(self._at + 1, len(self._entries)), but)
        if found is None:
            self._at = len(self._entries)
        return found or self._unsent

    def _step(self, ways: Iterable[int], but: Collection[str]) -> Writing | None:
        for at in ways:
            if self._entries[at].expanded().strip() not in but:
                self._at = at
                return self._entries[at]
        return None

    def ahead(self, texts: Iterable[str], here: Writing) -> Writing:
        """These, with their tokens where those are still known, and below them `here`."""
        back = [self._written(text) for text in texts]
        return joined([*back, here] if here.text.strip() else back)

    def _written(self, text: str) -> Writing:
        """How these words were written, with their tokens, if it is still known."""
        known = (one for one in reversed(self._entries) if one.expanded().strip() == text.strip())
        return next(known, Writing(text))

    def matches(self, words: str) -> list[Writing]:
        """Those with these letters in them, the newest first, each once; capitals count if any."""
        plain = words if words != words.lower() else ""
        found: dict[str, Writing] = {}
        for entry in reversed(self._entries):
            if words in (entry.text if plain else entry.text.lower()):
                found.setdefault(entry.text, entry)
        return list(found.values())
