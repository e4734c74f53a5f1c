"""What `assemble` hands the engine: the way into a session, and out of it."""

from collections.abc import Awaitable, Callable

import msgspec

from qcode.engine.limits import Limits
from qcode.engine.say import Say
from qcode.engine.turn import Turn
from qcode.engine.warming import Warming
from qcode.protocol.inputs import Redo, Rewind, Undo
from qcode.protocol.messages import UserMessage


class Begun(msgspec.Struct, frozen=True):
    """What is known once the session has begun: the server answered, the workspace was read."""

    turn: Callable[[int, float], Turn]
    """By its number, and when its prompt was taken up (the loop's clock)."""
    opening: Callable[[str], str]
    """The first user message, made of the workspace's facts and the first prompt."""
    ready: Callable[[UserMessage], Awaitable[None]]
    """Before each turn: whoever is to answer it is there. Raises QcodeError; see `routing`."""
    compact: Callable[[str], Awaitable[None]]
    """Sum up the conversation, with words on what matters; see `compaction.Compactor.by_hand`."""
    change: Callable[[], Awaitable[None]]
    """Between two turns: to the model that the person wished for."""
    warming: Warming
    """Reads ahead while nothing else is done."""


class Doors(msgspec.Struct, frozen=True):
    """What the engine calls at the first prompt and at the end; `assemble` knows what is behind."""

    begin: Callable[[Say], Awaitable[Begun]]
    """Find the server, read the workspace, say SessionStarted. Raises QcodeError."""
    end: Callable[[], Awaitable[None]]
    """End all commands, close the connection."""
    limits: Limits
    back: Callable[[Undo | Redo | Rewind], Awaitable[tuple[str, ...]]]
    """Put files back and say so; see `keeping.Keeping.take`."""
