"""What a launcher mounts: everything read-only, then the places of its plan.

Runs in the launcher's process and namespace of names, before `launcher` itself: see there. Each
place is found without following a link, and mounted by descriptor, so that none is swapped.
"""

# What pathlib and contextlib cost, every command would pay:
# ruff: noqa: PTH102, PTH103, PTH110, PTH211

from __future__ import annotations

import ctypes
import os
import struct

TYPE_CHECKING = False  # `typing` is not imported: 5 ms a command
if TYPE_CHECKING:
    from typing import Any

    from qcode.sandbox.kernel import CLOSE, checked, libc

RDONLY, NOSUID, NODEV, NOEXEC, BIND, REC, PRIVATE = 1, 2, 4, 8, 4096, 16384, 1 << 18
OPEN_TREE, MOVE_MOUNT, OPENAT2, MOUNT_SETATTR = 428, 429, 437, 442  # so on every architecture
HERE = -100  # AT_FDCWD
EMPTY, RECURSIVE = 0x1000, 0x8000
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
PROC_READ = ("sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi")
"""Below /proc; what root may write there by its number alone changes the whole system."""


def mount_all(plan: dict[str, Any]) -> None:
    """Everything read-only, then what `plan["places"]` says, in its order."""
    _mount(None, "/", None, REC | PRIVATE)
    taken = {}
    for kind, path, source in plan["places"]:
        if kind in ("write", "show", "tmp"):
            taken[path] = _take(source or path)
    devices = [(name, os.open(f"/dev/{name}", os.O_PATH)) for name in DEVICES if _is(name)]
    _all_read_only()
    _devices(devices)
    empty = _empty()
    hollow = []
    for kind, path, _ in plan["places"]:
        if kind == "hollow":
            _make(path)
            _tmpfs(path, "mode=755")
            hollow.append(path)
        elif kind == "stand":
            _put(_copy(empty), path)
        else:
            _place(kind, path, taken.get(path, -1))
    os.close(empty)
    for path in ("/dev", *hollow):
        _remount_read_only(path)
    _mount("proc", "/proc", "proc", NOSUID | NODEV | NOEXEC)


def _place(kind: str, path: str, taken: int) -> None:
    if kind in ("write", "show", "tmp"):
        _make(path)
        if kind == "show":
            _read_only(taken)
        _put(taken, path)
    elif kind == "pin":
        _put(_take(path), path)
    elif kind == "fresh":
        _make(path)
        _tmpfs(path, "mode=700")
    elif kind == "read":
        tree = _take(path)
        _read_only(tree)
        _put(tree, path)
    elif kind == "hide":
        try:
            _hide(path)
        except FileNotFoundError:  # a socket that was given up meanwhile, up to the last moment
            return


def _hide(path: str) -> None:
    at = locate(path)
    folder = _is_folder(at)
    os.close(at)
    tree = _take("/dev/.empty/folder" if folder else "/dev/.empty/file")
    _read_only(tree)
    _put(tree, path)


def _empty() -> int:
    """A folder in which nothing can be made, not even by its owner; each copy of it is the same.

    To make one read-only for each name would cost a command a millisecond more.
    """
    path = "/dev/.empty/folder"
    tree = _take(path)
    _read_only(tree)
    _put(tree, path)
    return locate(path)


def _devices(kept: list[tuple[str, int]]) -> None:
    """A /dev of its own: no disk, no terminal of another session."""
    _tmpfs("/dev", "mode=755")
    for name, source in kept:
        os.close(os.open(f"/dev/{name}", os.O_CREAT | os.O_WRONLY, 0o644))
        _mount(f"/proc/self/fd/{source}", f"/dev/{name}", None, BIND)
        os.close(source)
    for name, target in (
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("ptmx", "pts/ptmx"),
    ):
        os.symlink(target, f"/dev/{name}")
    for name in ("pts", "shm", ".empty", ".empty/folder"):
        os.mkdir(f"/dev/{name}", 0o755)
    os.close(os.open("/dev/.empty/file", os.O_CREAT | os.O_WRONLY, 0o444))
    _mount("devpts", "/dev/pts", "devpts", NOSUID | NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    _tmpfs("/dev/shm", "mode=1777")


def proc_read_only() -> None:
    for name in PROC_READ:
        path = f"/proc/{name}"
        if os.path.lexists(path):
            tree = _take(path)
            _read_only(tree)
            _put(tree, path)


def _take(path: str) -> int:
    """`path` with all that is mounted below it, as it is now, for a place of its own."""
    at = locate(path)
    try:
        return _copy(at)
    finally:
        os.close(at)


def _copy(at: int) -> int:
    return checked(_call(OPEN_TREE, at, b"", 1 | EMPTY | RECURSIVE | CLOSE), "a mount")


def _put(tree: int, path: str) -> None:
    try:
        at = locate(path)
        try:
            flags = 0x4 | 0x40  # both ends are descriptors
            checked(_call(MOVE_MOUNT, tree, b"", at, b"", flags), path)
        finally:
            os.close(at)
    finally:
        os.close(tree)


def _read_only(tree: int) -> None:
    attributes = struct.pack("QQQQ", 1, 0, 0, 0)
    checked(_call(MOUNT_SETATTR, tree, b"", EMPTY | RECURSIVE, attributes, 32), "read-only")


def _all_read_only() -> None:
    attributes = struct.pack("QQQQ", RDONLY | NOSUID, 0, 0, 0)
    checked(_call(MOUNT_SETATTR, HERE, b"/", RECURSIVE, attributes, 32), "/")


def _remount_read_only(path: str) -> None:
    attributes = struct.pack("QQQQ", RDONLY, 0, 0, 0)
    checked(_call(MOUNT_SETATTR, HERE, os.fsencode(path), 0, attributes, 32), path)


def locate(path: str) -> int:
    """The file of exactly this name: no link on the way is followed, the last one is it itself."""
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
    how = struct.pack("QQQ", flags, 0, 0x4)  # RESOLVE_NO_SYMLINKS
    return checked(_call(OPENAT2, HERE, os.fsencode(path), how, len(how)), path)


def _make(path: str) -> None:
    """A place for a mount, where what covers its surroundings has none. In the private /tmp another
    command of the session may make the same at this moment."""
    if not os.path.lexists(path):
        os.makedirs(path, 0o755, exist_ok=True)


def _is_folder(descriptor: int) -> bool:
    return os.fstat(descriptor).st_mode & 0o170000 == 0o040000


def _is(device: str) -> bool:
    return os.path.exists(f"/dev/{device}")


def _tmpfs(path: str, options: str) -> None:
    _mount("tmpfs", path, "tmpfs", NOSUID | NODEV, options)


def _mount(source: str | None, path: str, kind: str | None, flags: int, options: str = "") -> None:
    words = [None if word is None else os.fsencode(word) for word in (source, path, kind)]
    done = libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), options.encode() or None)
    checked(done, path)


def _call(number: int, *arguments: Any) -> int:
    long = [ctypes.c_long(it) if isinstance(it, int) else it for it in arguments]
    return int(libc.syscall(ctypes.c_long(number), *long))
