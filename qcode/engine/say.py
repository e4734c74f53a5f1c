"""How the parts of the engine tell what happens."""

from collections.abc import Callable

from qcode.protocol.events import AnyEvent

Say = Callable[[AnyEvent], None]
"""Log it, fold it into the conversation, hand it to the front end; in this order, at once.
Raises SessionNotSaved when the log cannot be written."""
