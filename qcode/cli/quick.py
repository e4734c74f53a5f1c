"""Imports that somebody waits for."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick() -> Iterator[None]:
    """They make no garbage, and looking for it would be 4 % of the start. Nor is it looked for among
    what they made afterwards, which lives as long as the process: 8 ms of the first answer."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
