"""One protected name: known again, set aside, and put back as it was.

What is set aside stays in its folder under a name that nothing obeys: nobody's work is lost. No
link is followed: whoever is to be undone may have left one.
"""

import os
import stat
from contextlib import suppress

import msgspec

from qcode.sandbox.held import NOTHING, Held, Room, look, put_back
from qcode.sandbox.placeholders import stands_in

ENDING = ".set-aside-by-qcode"
MOST_BYTES = 1 << 20
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)


class Kept(msgspec.Struct, frozen=True):
    """What was there when a command began."""

    identity: tuple[int, int]
    held: Held
    """Nothing: a placeholder, a folder, or what is too large."""


def identity(path: str) -> tuple[int, int]:
    """Of what is there now; zeros = nothing."""
    try:
        found = os.lstat(path)
    except OSError:
        return (0, 0)
    return found.st_dev, found.st_ino


def keep(path: str, before: Kept | None) -> Kept:
    """As it is; `before` is not read again where it is the same. Never raises."""
    try:
        found = os.lstat(path)
    except OSError:
        return Kept((0, 0), NOTHING)
    same = found.st_dev, found.st_ino
    known = (*same, found.st_ctime_ns, found.st_size)
    if before and before.held.known == known:  # as `held.look` knows it
        return before
    is_file = stat.S_ISREG(found.st_mode) and found.st_size <= MOST_BYTES
    if not is_file or stands_in(found):
        return Kept(same, NOTHING)
    with suppress(OSError):
        at = _enter(path)
        try:
            return Kept(same, look(at, path.rpartition("/")[2], NOTHING, Room()))
        finally:
            os.close(at)
    return Kept(same, NOTHING)


def set_aside(path: str, kept: Kept | None) -> tuple[str, bool]:
    """(Where it is now: empty = it could not be moved, or is gone; whether it was put back)."""
    name = path.rpartition("/")[2]
    with suppress(OSError):
        at = _enter(path)
        try:
            other = _free(at, name)
            os.rename(name, other, src_dir_fd=at, dst_dir_fd=at)
            was = kept.held if kept else NOTHING
            return other, bool(was.kind) and put_back(at, name, was, NOTHING)
        finally:
            os.close(at)
    return "", False


def _free(at: int, name: str) -> str:
    number, other = 1, f"{name}{ENDING}"
    while True:
        try:
            os.stat(other, dir_fd=at, follow_symlinks=False)
        except FileNotFoundError:
            return other
        number += 1
        other = f"{name}{ENDING}-{number}"


def _enter(path: str) -> int:
    """The folder that it is in. Raises OSError."""
    at = os.open("/", _FOLDER)
    try:
        for name in path.split("/")[1:-1]:
            below = os.open(name, _FOLDER, dir_fd=at)
            os.close(at)
            at = below
    except BaseException:
        os.close(at)
        raise
    return at
