"""What xllamacpp's own process is told, as the first line of its stdin.

No Struct: `msgspec` would be a third of that process's start, and nobody is served before it is up.
"""

from typing import NamedTuple


class Order(NamedTuple):
    """What to serve, and where. The key comes this way since a command line is for all to see."""

    model: str
    alias: str
    port: int
    key: str
    flags: tuple[tuple[str, str], ...]
    shares_port: bool
    """The keeper holds the port, so that nobody else gets it."""
