"""Which session lies in which file of a server's, so that it is found again.

The files are the server's, and no server deletes one: so there are a few names, and the oldest is
written over. What lies in them fits one model, one build and one session; whatever does not fit is
never asked for.
"""

import os
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import msgspec

MOST_FILES = 6
"""Each may be some gigabytes long."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    session: str
    name: str
    fingerprint: str
    """As `Server.fingerprint`."""
    tokens: int
    at: float
    """Seconds since 1970."""


class _Book(msgspec.Struct, frozen=True):
    tag: str
    """In all names: another user's qcode has another one, and may use the same server."""
    kept: tuple[Kept, ...] = ()


class Shelf:
    """What is kept, in one small file (0600). Nothing here raises: what cannot be kept is not."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def find(self, session: str, fingerprint: str = "") -> Kept | None:
        """What was kept of a session, if it still fits; empty = whatever it fits."""
        kept = next((one for one in self._read().kept if one.session == session), None)
        return kept if kept and fingerprint in ("", kept.fingerprint) else None

    def put(self, session: str, fingerprint: str, tokens: int) -> Kept:
        """Note that a session is about to be kept; its name is that of the session's own file, or
        of the one that goes for it."""
        book = self._read()
        others = [one for one in book.kept if one.session != session][-MOST_FILES + 1 :]
        own = [one.name for one in book.kept if one.session == session]
        names = [f"qcode-{book.tag}-{number}.bin" for number in range(MOST_FILES)]
        taken = {one.name for one in others}
        name = next(name for name in (*own, *names) if name not in taken)
        kept = Kept(
            session=session, name=name, fingerprint=fingerprint, tokens=tokens, at=time.time()
        )
        self._write(_Book(book.tag, (*others, kept)))
        return kept

    def drop(self, kept: Kept) -> None:
        """It was not written, or cannot be read."""
        book = self._read()
        self._write(_Book(book.tag, tuple(one for one in book.kept if one != kept)))

    def forget(self, sessions: Collection[str], folder: Path) -> tuple[str, ...]:
        """Those sessions are deleted: so are their files in `folder`. The names of those that lie
        elsewhere, with a server that this process cannot ask."""
        book = self._read()
        gone = [one for one in book.kept if one.session in sessions]
        if gone:
            self._write(_Book(book.tag, tuple(one for one in book.kept if one not in gone)))
        return tuple(one.name for one in gone if not _removed(folder / one.name))

    def _read(self) -> _Book:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Book)
        except (OSError, ValueError, RecursionError):  # msgspec's own errors are ValueErrors
            return _Book(os.urandom(4).hex())

    def _write(self, book: _Book) -> None:
        part = self._file.with_name(f".{self._file.stem}-{os.urandom(4).hex()}.tmp")
        with suppress(OSError):
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "wb") as out:
                    out.write(msgspec.json.encode(book))
                part.replace(self._file)
            except OSError:
                part.unlink()


def _removed(file: Path) -> bool:
    try:
        file.unlink()
    except OSError:
        return False
    return True
