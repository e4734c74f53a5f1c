"""How the bytes of an answer hold its chunks."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from qcode.server.chunks import Chunk, decode
from qcode.server.sse import Events


class Cutter(Protocol):
    """Bytes in, payloads out, however the bytes are cut. Raises Unusable for sizes."""

    stray: bytes
    """The first line that belongs to no stream of the form; empty = none so far."""

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that `data` completes."""
        ...

    def close(self) -> list[bytes]:
        """What the last bytes hold although no end followed them."""
        ...


class Form(msgspec.Struct, frozen=True):
    """One way of writing an answer down."""

    cutter: Callable[[int], Cutter]
    """Makes one from the most bytes that a payload may have."""
    decode: Callable[[bytes], Chunk]
    """The chunk in a payload. Raises Unusable."""


EVENTS = Form(Events, decode)
"""OpenAI's: server-sent events."""
