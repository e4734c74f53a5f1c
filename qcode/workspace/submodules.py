"""Which submodules the index of a repository names, in whatever form it is kept.

Git is not asked: it would look into them. Who adds one may choose the form as well: names that are
packed (version 4), entries that lie in a second file (split), longer hashes (SHA-256).
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

LARGEST = 64 * 1024 * 1024
"""A larger index is not read."""
MOST = 10_000
"""Names of one repository: each is asked for on the disk, after every command."""
_SUBMODULE = b"\0\0\xe0\0"
_KINDS = (b"\x81\xa4", b"\x81\xed", b"\xa0\0", b"\x40\0", b"\xe0\0")
"""A file, a program, a link, a folder (of a sparse index), a submodule."""
_MODES = frozenset(b"\0\0" + kind for kind in _KINDS)
_ENTRIES = tuple(
    # the mode, owner, size and name of its commit; two bytes of flags
    re.compile(rb"\x00\x00\xe0\x00.{%d}(.)(.)" % (12 + size), re.DOTALL)
    for size in (20, 32)
)
_EXTENDED = 0x40
_LONGEST = 4096


class Unseen(Exception):
    """What an index names cannot be looked at: it is too large, or git alone can read it."""


def files(git_folder: Path) -> tuple[Path, ...]:
    """What the entries stand in: the index, and those that share theirs with it."""
    return git_folder / "index", *sorted(git_folder.glob("sharedindex.*"))


def submodules(index: Path) -> list[str]:
    """Paths from the top, and what only looks like one. Raises Unseen."""
    try:
        if not index.is_file():
            return []
        if index.stat().st_size > LARGEST:
            raise Unseen
        data = index.read_bytes()
    except OSError:
        return []
    packed = data[:8] == b"DIRC\0\0\0\4"
    found: dict[str, None] = {}
    for name in _packed(data) if packed else _plain(data):
        if 0 < len(name) < _LONGEST:
            found[os.fsdecode(name)] = None
        if len(found) > MOST:
            raise Unseen
    return list(found)


def _plain(data: bytes) -> Iterator[bytes]:
    for pattern in _ENTRIES:
        for found in pattern.finditer(data):
            start = found.end() + 2 * bool(found[1][0] & _EXTENDED)
            yield data[start : data.find(b"\0", start)]


def _packed(data: bytes) -> Iterator[bytes]:
    """Each name goes on where it differs from the one before. Raises Unseen."""
    whole = False
    for size in (20, 32):
        names: list[bytes] = []
        for mode, name in _unpacked(data, size):
            if mode == b"":
                break
            if mode == _SUBMODULE:
                names.append(name)
            if len(names) > MOST:
                raise Unseen
        else:
            whole = True
            yield from names
    if not whole:
        raise Unseen


def _unpacked(data: bytes, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Mode and name of each entry; an empty mode = hashes are not of this size.

    Of a name no more is kept than could be asked for: it may grow with each entry.
    """
    at, name, length = 12, b"", 0
    for _ in range(int.from_bytes(data[8:12], "big")):
        mode, flags = data[at + 24 : at + 28], at + 40 + size
        if mode not in _MODES or flags + 3 > len(data):
            yield b"", b""
            return
        at = flags + (4 if data[flags] & _EXTENDED else 2)
        if at >= len(data):
            yield b"", b""
            return
        shorter, at = _number(data, at)
        end = data.find(b"\0", at)
        if shorter > length or end < 0:
            yield b"", b""
            return
        length += end - at - shorter
        name = (name[: length - (end - at)] + data[at : min(end, at + _LONGEST)])[:_LONGEST]
        at = end + 1
        yield mode, name


def _number(data: bytes, at: int) -> tuple[int, int]:
    """As in packs, and where it ends; one that no name is as long as is not read to its end."""
    value = data[at] & 0x7F
    while data[at] & 0x80 and at + 1 < len(data) and value <= LARGEST:
        at += 1
        value = ((value + 1) << 7) | (data[at] & 0x7F)
    return value, at + 1
