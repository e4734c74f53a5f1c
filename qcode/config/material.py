"""What stands in a folder that could configure qcode, read once: what was judged is what is used.

No link is followed and nothing but files is opened: a repository decides what lies here.
"""

import hashlib
import os
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from qcode.protocol.errors import ConfigError

NAMES = (".qcode",)
"""In a workspace: these, and all below them. What else of a project comes to be read as
configuration belongs in this list."""

MOST_FILES, MOST_BYTES, DEEPEST = 500, 2_000_000, 20
"""More is not looked at by a person either."""


class Piece(msgspec.Struct, frozen=True):
    """One file, or what stands in the place of one."""

    kind: Literal["file", "link", "other"]
    data: bytes
    """Of a link: where it leads. Other: a pipe, a socket, a device; empty."""

    @property
    def sha256(self) -> str:
        """Of kind and content, in hexadecimal."""
        return hashlib.sha256(self.kind.encode() + b"\0" + self.data).hexdigest()

    @property
    def text(self) -> str | None:
        """None = it is no text."""
        if self.kind != "file" or b"\0" in self.data:
            return None
        try:
            return self.data.decode("utf-8")
        except UnicodeDecodeError:
            return None


def read(folder: Path, own: Collection[Path] = ()) -> Mapping[str, Piece]:
    """Path from `folder`, with `/`, to what is there. Without `own`: folders in which qcode itself
    keeps things, which may lie here where the workspace is somebody's home.

    Raises ConfigError when it is too much to be judged, or cannot be read.
    """
    found: dict[str, Piece] = {}
    size = 0
    skipped = frozenset(map(os.path.realpath, own))
    for name in NAMES:
        for path, piece in _pieces(folder / name, name, skipped):
            found[path] = piece
            size += len(piece.data)
            if len(found) > MOST_FILES or size > MOST_BYTES:
                raise ConfigError(
                    f"{folder / name} holds more than {MOST_FILES} files or {MOST_BYTES:,} bytes: "
                    "too much to be looked at, so nothing in it counts. Remove what is not needed."
                )
    return found


def _pieces(
    path: Path, name: str, skipped: Collection[str], depth: int = 0
) -> Iterator[tuple[str, Piece]]:
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISDIR(mode):
            yield name, _piece(path, mode)
            return
        inside = sorted(os.listdir(path))  # noqa: PTH208 - names alone, which sort as they are
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}), so nothing beside it counts either."
        ) from error
    if depth == DEEPEST:
        raise ConfigError(f"{path} lies too deep, so nothing beside it counts. Remove it.")
    if os.path.realpath(path) in skipped:
        return
    for one in inside:
        yield from _pieces(path / one, f"{name}/{_spelled(one)}", skipped, depth + 1)


def _piece(path: Path, mode: int) -> Piece:
    if stat.S_ISLNK(mode):
        return Piece("link", os.fsencode(path.readlink()))
    if not stat.S_ISREG(mode):
        return Piece("other", b"")
    # it may have become a link or a pipe meanwhile; Windows has neither flag
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, os.O_RDONLY | flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return Piece("other", b"")
        return Piece("file", file.read(MOST_BYTES + 1))


def _spelled(name: str) -> str:
    """As text that JSON can hold, whatever bytes the name has, and no two names alike."""
    return os.fsencode(name).replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
