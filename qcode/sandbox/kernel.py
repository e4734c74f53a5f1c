"""Calls to the kernel that Python has no name for.

Runs first in the names of `mounting`, `launcher` and `founder`, outside of qcode: see `launcher`.
"""

from __future__ import annotations

import ctypes
import os
import struct

libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
CLOSE = os.O_CLOEXEC if hasattr(os, "O_CLOEXEC") else 0


def checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
    return result


def write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    os.write(descriptor, text.encode())
    os.close(descriptor)


def unshare(flags: int) -> None:
    """Leave for a user namespace of its own, and for what `flags` say besides; nobody but the user
    is known there."""
    user, group = os.getuid(), os.getgid()
    checked(libc.unshare(NEWUSER | flags), "namespaces")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        write(f"/proc/self/{name}", text)


def join(user: int, network: int) -> None:
    """Enter the namespaces of the session; afterwards nothing leads there any more."""
    for descriptor, kind in ((user, NEWUSER), (network, NEWNET)):
        checked(libc.setns(descriptor, kind), "the session's network")
        os.close(descriptor)


def loopback_up() -> None:
    wire = libc.socket(2, 2 | CLOSE, 0)
    checked(wire, "loopback")
    checked(libc.ioctl(wire, 0x8914, struct.pack("16sH22x", b"lo", 0x1 | 0x40)), "loopback")
    os.close(wire)
