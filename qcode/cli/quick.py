"""Imports that somebody waits for."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick() -> Iterator[None]:
    """They make no garbage, and looking for it would be 4 % of the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
