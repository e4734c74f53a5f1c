"""Text made fit to be drawn: prose is `safe`, code, diffs and commands are `visible`."""

from qcode.protocol.text import legible as safe
from qcode.protocol.text import visible

__all__ = ["safe", "visible"]
