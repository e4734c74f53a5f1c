"""Imports that somebody waits for."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick() -> Iterator[None]:
    """They make no garbage, and looking for it would be 4 % of the start. Nor is what they made,
    which lives as long as the process, looked through afterwards: 6 % of the way to an answer."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
