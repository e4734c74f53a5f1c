"""One writer per session: an advisory lock on `<id>.lock` beside the log.

The operating system drops the lock when its holder ends, however it ends, so a lock file that was
left behind stops nobody. The file names the holder for the sentence that others get to see.
"""

import contextlib
import errno
import os
import sys
import time
from pathlib import Path

from qcode.protocol.errors import SessionError
from qcode.session.failures import not_saved

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        # Windows locks keep readers out too: lock a byte far behind the holder's number.
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_YOUNG = 60.0
"""Seconds in which a lock may have been made, and not yet been taken."""
_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}
_CANNOT = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS}


class Lock:
    """A lock that is held. `release` it, or let the process end."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, log: Path) -> "Lock":
        """Lock the session whose log is (or will be) `log`.

        Raises SessionError when another has it, SessionNotSaved when the folder is not writable.
        """
        path = log.with_suffix(".lock")
        while True:
            descriptor = _locked(path, log)
            if _is_at(descriptor, path):
                _sign(descriptor)
                return cls(path, descriptor)
            os.close(descriptor)  # its last holder removed the file between our open and our lock

    def release(self) -> None:
        """Give the session free. Twice does no harm."""
        if self._descriptor is None:
            return
        with contextlib.suppress(OSError):  # Windows cannot remove an open file: it may stay
            self.path.unlink()
        os.close(self._descriptor)
        self._descriptor = None


def sweep(folder: Path) -> None:
    """Remove locks of sessions that never said anything: whoever held them was killed. Never
    raises."""
    for path in folder.glob("*.lock"):
        with contextlib.suppress(OSError, SessionError):
            if path.with_suffix(".jsonl").exists() or time.time() - path.stat().st_mtime < _YOUNG:
                continue
            Lock(path, _locked(path, path)).release()


def _locked(path: Path, log: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise not_saved(log, error) from error
    try:
        _take(descriptor)
    except OSError as error:
        if error.errno in _CANNOT:  # some network file systems: better unlocked than unusable
            return descriptor
        holder = _holder(descriptor)
        os.close(descriptor)
        if error.errno in _HELD:
            raise SessionError(_in_use(log.stem, holder)) from error
        raise not_saved(log, error) from error
    return descriptor


def _in_use(session_id: str, holder: str) -> str:
    who = f"another qcode (process {holder})" if holder else "another qcode"
    return (
        f"The session {session_id} is open in {who}. Close it there first, or go on in a copy: "
        f"`qcode --resume {session_id} --fork-session`."
    )


def _holder(descriptor: int) -> str:
    with contextlib.suppress(OSError):  # the number is only for the sentence
        os.lseek(descriptor, 0, os.SEEK_SET)
        text = os.read(descriptor, 20).strip()
        return text.decode() if text.isdigit() else ""
    return ""


def _sign(descriptor: int) -> None:
    with contextlib.suppress(OSError):  # a full disk: the lock holds without a name
        os.ftruncate(descriptor, 0)
        os.write(descriptor, b"%d" % os.getpid())


def _is_at(descriptor: int, path: Path) -> bool:
    if sys.platform == "win32":  # there an open file cannot be removed
        return True
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
