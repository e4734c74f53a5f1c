"""Private folders in the place for temporary files, which last as long as their process.

Whoever is killed leaves theirs behind. So each is locked while its process lives, by the folder
itself, and the next qcode sweeps those that nobody holds: a process id could be another's by now,
or one of another container.
"""

import os
import shutil
import stat
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":
    fcntl = None
else:
    import fcntl

_HELD: dict[Path, int] = {}
"""The locks of this process; they are its own as much as its number is."""
_YOUNG, _MADE = "qcode-new-", "qcode-run-"
_STALE_SECONDS = 3600.0
"""So long nobody takes to lock what they have just made."""


def passing() -> Path:
    """A new folder (0700). Raises OSError."""
    young = Path(tempfile.mkdtemp(prefix=_YOUNG))
    if fcntl is None:
        return young
    try:
        held = os.open(young, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        with suppress(OSError):  # a file system without locks: then nobody can tell, nor sweeps it
            fcntl.flock(held, fcntl.LOCK_EX)
        made = young.with_name(young.name.replace(_YOUNG, _MADE, 1))
        young.rename(made)
    except OSError:
        young.rmdir()
        raise
    _HELD[made] = held
    return made


def pass_away(folder: Path) -> None:
    """Remove one with all that is in it. Never raises."""
    shutil.rmtree(folder, ignore_errors=True)
    if (held := _HELD.pop(folder, None)) is not None:
        os.close(held)


def sweep() -> None:
    """Remove those of this user that no process holds. Never raises."""
    if fcntl is None:
        return
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as found:
        for path in [Path(entry.path) for entry in found if entry.name.startswith((_YOUNG, _MADE))]:
            if path not in _HELD:
                with suppress(OSError):
                    _sweep(path)


def _sweep(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) != 0o700:
            return
        if path.name.startswith(_YOUNG) and time.time() - status.st_mtime < _STALE_SECONDS:
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)
