"""Files that only this process and its children have."""

import os
import sys


def in_memory(name: str, data: bytes) -> int:
    """A descriptor of a file with `data`, to be read from its beginning. Raises OSError."""
    if sys.platform != "linux":
        raise OSError("there are no files in memory on this system")
    descriptor = os.memfd_create(name)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(data)
        os.lseek(descriptor, 0, os.SEEK_SET)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
