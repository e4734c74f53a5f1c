"""Files of the user's own state, one for each project: nobody else reads them, none is half."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from qcode.config.paths import make


def file_of(base: Path, folder: Path) -> Path:
    """Where `base` has the file about the project at `folder`, by its real path."""
    real = os.path.realpath(folder)
    digest = hashlib.blake2b(os.fsencode(real), digest_size=10).hexdigest()
    return base / f"{digest}.json"


def real_name(folder: Path) -> str:
    """Its real path as text that JSON can hold, whatever bytes the name has."""
    return os.fsencode(os.path.realpath(folder)).decode("utf-8", "backslashreplace")


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Two runs in one project must not lose each other's words. Raises ConfigError and OSError."""
    make(file.parent)
    descriptor = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with suppress(ImportError, OSError):  # Windows, some network file systems: go on unlocked
            import fcntl  # noqa: PLC0415 - there is none on Windows

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(file: Path, data: bytes) -> None:
    """All of it or nothing; 0600. Raises OSError."""
    part = file.with_name(f".{file.stem}-{os.urandom(4).hex()}.tmp")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    except OSError:
        with suppress(OSError):  # it may not have been made
            part.unlink()
        raise
