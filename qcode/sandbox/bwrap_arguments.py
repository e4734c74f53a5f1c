"""What bubblewrap is told: a plan in its words, as far as this version knows them."""

import functools
import os
import stat
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path

from qcode.sandbox.fence import Inside
from qcode.sandbox.place import Place

SECONDS = 20.0
"""What asks a program waits so long."""
NAMESPACES = ("--unshare-user", "--unshare-ipc", "--unshare-pid")
PROC_READ = ("/proc/sys", "/proc/fs", "/proc/acpi", "/proc/scsi")
"""What root may write by its number alone. bwrap covers irq, bus and sysrq-trigger by itself where
they can be written; it looks at the folder, and of /proc/sys only what lies in it can be."""


@functools.cache
def options(program: str) -> Collection[str]:
    """Those that this one has: `--perms` came with 0.5, `--size` with 0.7. Asked once; empty = it
    does not say."""
    try:
        done = subprocess.run(
            (program, "--help"), capture_output=True, env={}, timeout=SECONDS, check=False
        )
        known = {word for word in done.stdout.decode(errors="replace").split() if word[:2] == "--"}
        if Path(program).stat().st_mode & stat.S_ISUID:
            known.discard("--size")  # which it then takes from nobody
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    return frozenset(known)


def arguments(
    places: tuple[Place, ...], inside: Inside, known: Collection[str] = ()
) -> tuple[str, ...]:
    """What bwrap is told; it mounts in this order. `known`: see `options`. Raises OSError."""
    return (
        *NAMESPACES,
        *("--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
        *(word for path in PROC_READ for word in ("--ro-bind-try", path, path)),
        *(word for place in places if place.kind != "stand" for word in _words(place, known)),
        *(word for place in places if place.kind == "hollow" for word in _closed(place)),
        # last: for each of the others bwrap reads what is mounted by then
        *(word for place in places if place.kind == "stand" for word in _empty(place.path, known)),
        "--clearenv",
        *(word for name in inside.environment.items() for word in ("--setenv", *name)),
        *("--chdir", str(inside.folder)),
    )


def ended(arguments: tuple[str, ...]) -> bytes:
    """As `--args` takes them. Raises ValueError where one holds a NUL: it would become two."""
    if any("\0" in it for it in arguments):
        raise ValueError("a path or a variable holds a NUL")
    return b"".join(os.fsencode(it) + b"\0" for it in arguments)


def _words(place: Place, known: Collection[str]) -> Iterator[str]:
    path = place.path
    match place.kind:
        case "write" | "pin":
            yield from ("--bind", path, path)
        case "tmp":
            yield from ("--bind", place.source, path)
        case "show" | "read":
            yield from ("--ro-bind", path, path)
        case "fresh" | "hollow":
            yield from ("--tmpfs", path)
        case "hide":
            yield from _hidden(path, known)


def _hidden(path: str, known: Collection[str]) -> Iterator[str]:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:  # a socket that was given up meanwhile
        return
    if stat.S_ISLNK(mode):
        raise OSError(f"{path} is a link, and bubblewrap cannot cover one")
    if stat.S_ISDIR(mode) and "--perms" in known:
        yield from _empty(path, known)
    elif stat.S_ISDIR(mode):
        yield from ("--tmpfs", path, "--remount-ro", path)
    else:
        yield from ("--ro-bind", os.devnull, path)


def _empty(path: str, known: Collection[str]) -> Iterator[str]:
    if "--perms" not in known:
        yield from ("--ro-bind", path, path)
        return
    size = ("--size", "1") if "--size" in known else ()  # a page, as the kernel counts
    yield from ("--perms", "0555", *size, "--tmpfs", path)


def _closed(place: Place) -> Iterator[str]:
    yield from ("--remount-ro", place.path)
