"""Read a log, whole or cut. Needs no lock and changes nothing.

A process that is killed in the middle of a line, or a disk that fills up, leaves a log that ends
in part of an event; a power cut may leave zeros. What stands before the damage is good: the log is
read up to the last whole event, and what was lost is said.
"""

from collections.abc import Iterator
from pathlib import Path
from re import compile as pattern
from typing import BinaryIO

import msgspec
from msgspec.structs import replace

from qcode.protocol.errors import SessionError
from qcode.protocol.events import LoggedEvent, SessionStarted
from qcode.session.envelope import (
    CURRENT,
    UNREADABLE,
    Entry,
    Format,
    NewerVersion,
    UnknownEvent,
    decode,
)

_TYPE = pattern(rb'"type":"(\w+)"')
_GLIMPSE_BYTES = 4096


class Opened(msgspec.Struct, frozen=True):
    """What a log holds, and what it has lost."""

    entries: tuple[Entry, ...]
    """Whole events only, in the order of the log."""
    end: int = 0
    """Offset behind the last whole event: the file is valid up to here."""
    lost_bytes: int = 0
    """Behind `end`, none of it a whole event; 0 = the log is whole."""
    lost_text: str = ""
    """The first of the lost bytes, as far as they are text."""
    skipped: tuple[int, ...] = ()
    """Lines, from 1, between whole ones that could not be read."""
    cut: Path | None = None
    """Where the lost bytes were put; None = they are still in the log, or there are none."""

    @property
    def events(self) -> tuple[LoggedEvent | UnknownEvent, ...]:
        """The events without their envelopes."""
        return tuple(entry.event for entry in self.entries)

    @property
    def started(self) -> SessionStarted | None:
        """The first line, if it is what it must be."""
        first = self.entries[0].event if self.entries else None
        return first if isinstance(first, SessionStarted) else None

    @property
    def last_n(self) -> int:
        """Number of the last whole event; 0 = there is none."""
        return max((entry.n for entry in self.entries), default=0)

    @property
    def loss(self) -> str:
        """Sentences for the person about all that is missing; empty = nothing is."""
        return " ".join(sentence for sentence in (*self._tail_lost(), *self._inner_lost()))

    def _tail_lost(self) -> Iterator[str]:
        if not self.lost_bytes:
            return
        found = _TYPE.search(self.lost_text.encode())
        what = f", part of a {found[1].decode()}" if found else ""
        where = f" They are kept in {self.cut}." if self.cut else ""
        yield (
            f"The log was cut: {self.lost_bytes} bytes after event {self.last_n}{what}, "
            f"could not be read.{where}"
        )

    def _inner_lost(self) -> Iterator[str]:
        if self.skipped:
            lines = ", ".join(map(str, self.skipped[:10]))
            yield f"Damaged lines of the log are left out: {lines}."
        unread = [entry.n for entry in self.entries if _misread(entry)]
        if unread:
            numbers = ", ".join(map(str, unread[:10]))
            yield f"Events of another version of qcode are left out: {numbers}."


def read(path: Path, reading: Format = CURRENT) -> Opened:
    """All of the log at `path`. Raises SessionError: not readable, or from a newer qcode."""
    try:
        with path.open("rb") as file:
            return read_from(file, reading)
    except NewerVersion as error:
        raise SessionError(
            f"The session {path.stem} was written by a newer qcode (log format {error}; this one "
            f"knows up to {reading.version}). Update qcode to open it; nothing was changed."
        ) from error
    except OSError as error:
        raise SessionError(
            f"The session {path.stem} cannot be read: {error.strerror} ({path})."
        ) from error


def read_from(file: BinaryIO, reading: Format = CURRENT) -> Opened:
    """As `read`, from an open file. Raises NewerVersion and OSError as they are."""
    entries: list[Entry] = []
    skipped: list[int] = []
    doubtful: list[int] = []  # unreadable lines that no whole event has followed so far
    offset = end = 0
    for number, line in enumerate(file, 1):
        offset += len(line)
        if line.isspace() and not doubtful:
            end = offset
            continue
        try:
            entries.append(decode(line, offset, reading))
        except UNREADABLE:
            doubtful.append(number)
            continue
        end = offset
        skipped += doubtful
        doubtful.clear()
    opened = Opened(tuple(entries), end, offset - end, skipped=tuple(skipped))
    return replace(opened, lost_text=_glimpse(file, end)) if opened.lost_bytes else opened


def _glimpse(file: BinaryIO, start: int) -> str:
    file.seek(start)
    return file.read(_GLIMPSE_BYTES).decode("utf-8", "replace")


def _misread(entry: Entry) -> bool:
    return isinstance(entry.event, UnknownEvent) and bool(entry.event.because)
