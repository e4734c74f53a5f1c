"""Two renames that Python does not have: exchange, and never over what is there.

Both are one step of the system, so that what was checked cannot change in between.
"""

import errno
import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Literal

_FUNCTION, _FLAGS = {
    "linux": ("renameat2", {"exchange": 2, "new": 1}),
    "darwin": ("renameatx_np", {"exchange": 2, "new": 4}),
}.get(sys.platform, ("", {}))
_CANNOT = {errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP}
"""This kernel, this file system, a filter around this process."""


def rename(fd: int | None, name: str, other: str, how: Literal["exchange", "new"]) -> bool:
    """In the folder `fd`: `exchange` the two, or give `name` the name `other`, which must be free.

    False = the system cannot do that here, and nothing was done. Raises OSError.
    """
    call = _call()
    if call is None or fd is None:
        return False
    number = call(fd, os.fsencode(name), os.fsencode(other), _FLAGS[how])
    if number in _CANNOT:
        return False
    if number:
        raise OSError(number, os.strerror(number), other)
    return True


@cache
def _call() -> Callable[[int, bytes, bytes, int], int] | None:
    """Gives the error's number; 0 = it is done."""
    import ctypes  # noqa: PLC0415 - start-up time: only where files are written

    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), _FUNCTION)
    except (OSError, TypeError, AttributeError):  # Windows, an old C library
        return None

    def done(fd: int, name: bytes, other: bytes, flags: int) -> int:
        failed = function(fd, ctypes.c_char_p(name), fd, ctypes.c_char_p(other), flags)
        return ctypes.get_errno() if failed else 0

    return done
