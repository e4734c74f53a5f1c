"""Landlock: rules of the kernel that a process takes upon itself and all that it starts.

Asked for from ABI 6 on (Linux 6.12): before it, a command could signal every process of the user.
Rules only grant, and always for a whole tree; what no rule names is refused.
"""

import os
import struct
import sys
from collections.abc import Iterable

NEEDED = 6
_CREATE, _ADD = 444, 445  # one number on every architecture
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_ALL = (1 << 16) - 1
"""Of files: the above, to make and remove each kind, to link across folders, ioctl of devices."""
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
"""What can be granted for something that is no folder."""
_TCP, _SCOPED = 0b11, 0b11
"""To bind and connect; abstract sockets and signals stay within."""
_READ = _EXECUTE | _READ_FILE | _READ_DIR


def abi() -> int:
    """What this kernel can; 0 = nothing."""
    if sys.platform != "linux":
        return 0
    return max(0, _call(_CREATE, None, 0, 1))


def ruleset(read: Iterable[str], write: Iterable[str]) -> int:
    """A descriptor of rules that let these paths be read and run, and those be written as well.

    A path that is gone, or cannot be opened, is no path to be granted. Raises OSError.
    """
    if (found := abi()) < NEEDED:
        said = "this kernel has none" if not found else f"this kernel has version {found} of it"
        raise OSError(f"Landlock {NEEDED} is needed (Linux 6.12), and {said}")
    made = _call(_CREATE, struct.pack("QQQ", _ALL, _TCP, _SCOPED), 24, 0)
    if made < 0:
        raise OSError("the kernel makes no Landlock rules")
    try:
        for paths, rights in ((read, _READ), (write, _ALL)):
            for path in paths:
                _grant(made, path, rights)
    except BaseException:
        os.close(made)
        raise
    return made


def _grant(made: int, path: str, rights: int) -> None:
    try:
        at = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if os.fstat(at).st_mode & 0o170000 != 0o040000:
            rights &= _OF_FILES
        if _call(_ADD, made, 1, struct.pack("=Qi", rights, at), 0) < 0:
            raise OSError(f"the kernel takes no Landlock rule for {path}")
    finally:
        os.close(at)


def _call(number: int, *arguments: int | bytes | None) -> int:
    import ctypes  # noqa: PLC0415 - 5 ms of every start, for a fence that few need

    libc = ctypes.CDLL(None, use_errno=True)
    long = [ctypes.c_long(it) if isinstance(it, int) else it for it in arguments]
    return int(libc.syscall(ctypes.c_long(number), *long))
