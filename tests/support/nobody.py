"""Tests that run as root, and what root may do that others may not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def without_privileges() -> Iterator[None]:
    """As nobody, where the tests run as root: root may read and write anything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def opened(folder: Path) -> Path:
    """The folder of a test, so that nobody can reach it and write in it."""
    for above in (folder, *folder.parents[:3]):
        if above.owner() == Path.home().owner() or os.geteuid() == 0:
            above.chmod(above.stat().st_mode | 0o755) if above != Path("/tmp") else None
    folder.chmod(0o777)
    return folder
