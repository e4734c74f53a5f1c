"""Lines of a file that is too large to be read whole: counted and cut as they pass."""

import os
from typing import BinaryIO

import msgspec

from qcode.workspace.encoding import binary_kind
from qcode.workspace.files import Located, opened, too_large
from qcode.workspace.trouble import FileTrouble, trouble

_BLOCK_BYTES = 1024 * 1024
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


class Some(msgspec.Struct, frozen=True):
    """A few lines of a large file."""

    lines: tuple[str, ...]
    """Without line ends; each cut after as many bytes as were asked for."""
    lengths: tuple[int, ...]
    """Bytes of each line, uncut."""
    size: int
    """Of the file, in bytes."""
    stamp: str
    """As `files.digest_now` gives it."""


def some_lines(located: Located, first: int, count: int, width: int) -> Some:
    """`count` lines from line `first` (from 1), `width` bytes of each. Raises FileTrouble."""
    descriptor = opened(located)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        head = file.peek(8000)[:8000]
        if head.startswith(_WIDE_MARKS):
            raise too_large(located, status.st_size)
        if kind := binary_kind(head):
            raise FileTrouble(
                f"{located.shown} is {kind} ({status.st_size:,} bytes) and cannot be read as text."
            )
        try:
            rows = _rows(file, first, count, width)
        except OSError as error:
            raise trouble(error, located.shown, "read") from error
    stamp = f"large:{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"
    texts = tuple(text.decode(errors="replace") for text, _ in rows)
    return Some(texts, tuple(length for _, length in rows), status.st_size, stamp)


def _rows(file: BinaryIO, first: int, count: int, width: int) -> list[tuple[bytes, int]]:
    if not _skip(file, first - 1):
        return []
    rows: list[tuple[bytes, int]] = []
    while len(rows) < count and (row := _row(file, width)) is not None:
        rows.append(row)
    return rows


def _skip(file: BinaryIO, lines: int) -> bool:
    """Move behind that many line ends; False = the file has fewer."""
    while lines > 0:
        start = file.tell()
        block = file.read(_BLOCK_BYTES)
        if not block:
            return False
        ends = block.count(b"\n")
        if ends < lines:
            lines -= ends
            continue
        at = -1
        for _ in range(lines):
            at = block.index(b"\n", at + 1)
        file.seek(start + at + 1)
        return True
    return True


def _row(file: BinaryIO, width: int) -> tuple[bytes, int] | None:
    """The next line's beginning and its length; None at the end. Holds one block, no more."""
    piece = file.readline(_BLOCK_BYTES)
    if not piece:
        return None
    kept, length = piece[:width], len(piece)
    while not piece.endswith(b"\n") and (piece := file.readline(_BLOCK_BYTES)):
        length += len(piece)
    return kept.rstrip(b"\r\n"), length
