"""Append events to a session's log: one session, one append-only file of JSON lines, one writer.

Each line goes to the operating system at once, so a qcode that is killed loses nothing; `flush`
brings it to the disk. What a line looks like is said in `envelope`, reading is in `reading`.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from msgspec.structs import replace

from qcode.protocol.errors import SessionError
from qcode.protocol.events import FLEETING, LoggedEvent, SessionStarted, TurnStarted
from qcode.session.disk import NEW_FILE, sync_folder, write_all, write_new
from qcode.session.envelope import UnknownEvent, encode
from qcode.session.failures import not_saved
from qcode.session.lock import Lock
from qcode.session.reading import Opened, read

Clock = Callable[[], datetime]

_AGAIN = NEW_FILE & ~os.O_CREAT & ~os.O_EXCL
_sync = getattr(os, "fdatasync", os.fsync)  # macOS and Windows have only fsync


def now() -> datetime:
    """The clock of the logs."""
    return datetime.now(UTC)


class Log:
    """The log of one session, open and locked for appending. Close it, or use it with `with`.

    The engine decides when to `flush`: before a tool with effects runs, and at the end of a step.
    """

    def __init__(self, path: Path, lock: Lock, clock: Clock = now) -> None:
        self.path = path
        self.n = 0
        """Number of the last event; 0 = none yet."""
        self._lock = lock
        self._clock = clock
        self._descriptor: int | None = None
        """None = no event was appended yet: a session that says nothing leaves no file."""
        self._end = 0
        self._torn = False
        """Part of a line may stand behind `_end`."""
        self._unflushed = False
        self._named = False
        """The file's name is on the disk, too."""
        self._expendable = True
        """What stood in the file before is no turn, nor anything that cannot be read."""
        self._closed = False

    @property
    def session_id(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @classmethod
    def create(cls, path: Path, clock: Clock = now) -> "Log":
        """A new log, whose file appears with its first event. Its folder must exist."""
        return cls(path, Lock.acquire(path), clock)

    @classmethod
    def reopen(cls, path: Path, clock: Clock = now) -> tuple["Log", Opened]:
        """Go on with the log at `path`; a cut tail is moved aside, so the file is valid again.

        Raises SessionError (nothing usable in it, in use, newer) or SessionNotSaved.
        """
        log = cls(path, Lock.acquire(path), clock)
        try:
            return log, log._go_on(read(path))
        except BaseException:
            log.close()
            raise

    def _go_on(self, opened: Opened) -> Opened:
        worth = any(isinstance(event, TurnStarted | UnknownEvent) for event in opened.events)
        self._expendable = not (worth or opened.lost_bytes or opened.skipped)
        if opened.started is None:
            raise SessionError(
                f"The session {self.session_id} cannot be resumed: its log has no whole first "
                f"line ({self.path}). `qcode sessions delete {self.session_id}` removes it."
            )
        try:
            self._descriptor = descriptor = os.open(self.path, _AGAIN)
            if opened.lost_bytes:
                opened = replace(opened, cut=self._set_aside(opened.end))
                os.ftruncate(descriptor, opened.end)
            self._end, self.n = opened.end + _finish_last_line(descriptor), opened.last_n
        except OSError as error:
            raise not_saved(self.path, error) from error
        return opened

    def append(self, event: LoggedEvent) -> int:
        """Write `event`; returns its number. Raises SessionNotSaved, and then nothing was added.

        After a failure appending may be tried again: no line is ever glued to a partial one.
        """
        if isinstance(event, FLEETING):
            raise TypeError(f"{type(event).__name__} is for the eye only and not logged")
        if self.n == 0 and not isinstance(event, SessionStarted):
            raise ValueError("a log begins with SessionStarted")
        line = encode(event, self.n + 1, self._clock())
        try:
            self._write(line)
        except OSError as error:
            with suppress(OSError):  # it is tried again before the next line
                self._mend()
            raise not_saved(self.path, error) from error
        self.n += 1
        return self.n

    def flush(self) -> None:
        """All that was appended is on the disk when this returns. Raises SessionNotSaved."""
        if self._descriptor is None or not self._unflushed:
            return
        self._unflushed = False
        try:
            _sync(self._descriptor)
            if not self._named:
                sync_folder(self.path.parent)
                self._named = True
        except OSError as error:
            self._unflushed = True
            raise not_saved(self.path, error) from error

    def close(self) -> None:
        """Flush as far as possible, and let others have the session. Twice does no harm."""
        if self._descriptor is not None:
            with suppress(OSError):  # nothing more can be done, and what was saved is whole
                self._mend()
                _sync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
        self._closed = True
        self._lock.release()

    def discard(self) -> None:
        """Close it, and remove the file: no turn began in it. One that was reopened stays where it
        has a turn, or what this qcode could not read."""
        if self._descriptor is not None and self._expendable:
            os.close(self._descriptor)
            self._descriptor = None
            with suppress(OSError):  # an empty session is no harm
                self.path.unlink()
        self.close()

    def __enter__(self) -> "Log":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        self._mend()
        self._torn = True
        write_all(self._opened(), line)
        self._end += len(line)
        self._torn = False
        self._unflushed = True

    def _opened(self) -> int:
        if self._descriptor is None:
            if self._closed:
                raise ValueError("the log is closed")
            self._descriptor = os.open(self.path, NEW_FILE, 0o600)
        return self._descriptor

    def _mend(self) -> None:
        """Take away what a failed write may have left behind the last whole line."""
        if self._torn and self._descriptor is not None:
            os.ftruncate(self._descriptor, self._end)
            self._torn = False

    def _set_aside(self, end: int) -> Path:
        """Move what stands behind `end` to a file of its own, which is on the disk first."""
        stamp = self._clock().astimezone(UTC).strftime("%Y%m%d-%H%M%S-%f")
        aside = self.path.with_name(f"{self.session_id}.cut-{stamp}")
        with self.path.open("rb") as source:
            source.seek(end)
            write_new(aside, source.read())
        return aside


def _finish_last_line(descriptor: int) -> int:
    """A line may have lost nothing but its newline. Returns how many bytes were added."""
    os.lseek(descriptor, -1, os.SEEK_END)
    if os.read(descriptor, 1) == b"\n":
        return 0
    write_all(descriptor, b"\n")
    return 1
