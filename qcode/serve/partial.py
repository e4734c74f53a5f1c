"""A file that is on its way: one writes it, and it is told how far it is."""

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from qcode.protocol.errors import InputError


class Counted:
    """A file that tells how much stands in it. What the library's `http_get` uses of one, and no
    more."""

    def __init__(self, out: io.BufferedWriter, told: Callable[[int], None]) -> None:
        self._out, self._told = out, told

    def write(self, data: bytes) -> int:
        """As a file's."""
        count = self._out.write(data)
        self._told(self._out.tell())
        return count

    def seek(self, offset: int) -> int:
        """As a file's."""
        return self._out.seek(offset)

    def tell(self) -> int:
        """As a file's."""
        return self._out.tell()

    def truncate(self) -> int:
        """As a file's."""
        return self._out.truncate()


@contextmanager
def alone(part: Path) -> Iterator[io.BufferedWriter]:
    """The file, at its end. Raises InputError while another qcode writes it."""
    with part.open("ab") as out:
        with suppress(ImportError):  # Windows
            import fcntl  # noqa: PLC0415  there is none on Windows

            try:
                fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError(f"Another qcode fetches this file now ({part.name}).") from error
        yield out


def sha256_of(path: Path) -> str:
    """In hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def length(path: Path) -> int:
    """In bytes; 0 = there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
