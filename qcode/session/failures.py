"""What the operating system says when a session cannot be written, as a sentence."""

import errno
from pathlib import Path

from qcode.protocol.errors import SessionNotSaved

_CAUSES = {
    errno.ENOSPC: ("the disk is full", "Free some space"),
    errno.EFBIG: ("the file may not grow further", "Raise the limit (`ulimit -f`)"),
    errno.EROFS: ("the file system is read-only", "Set QCODE_HOME to a folder you may write"),
    errno.EACCES: ("no permission", "Give yourself write permission there, or set QCODE_HOME"),
    errno.EPERM: ("no permission", "Give yourself write permission there, or set QCODE_HOME"),
    errno.EIO: ("the disk reports an error", "Check the disk, or set QCODE_HOME to another one"),
}
if hasattr(errno, "EDQUOT"):  # not on Windows
    _CAUSES[errno.EDQUOT] = ("your disk quota is used up", "Free some space")


def not_saved(path: Path, error: OSError) -> SessionNotSaved:
    """The error to raise when `path` could not be written."""
    because = error.strerror or str(error)
    cause, advice = _CAUSES.get(
        error.errno or 0, (because, "Put it right, or set QCODE_HOME to another folder")
    )
    return SessionNotSaved(
        f"The session could not be saved in {path}: {cause}. {advice}, then try again; "
        "what was saved before is whole. With --no-session nothing is kept, and nothing written."
    )
