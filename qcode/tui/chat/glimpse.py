"""What will be seen of a session, at once: opening it takes longer than reading it."""

import asyncio
from collections.abc import Callable, Sequence

from qcode.protocol.errors import QcodeError
from qcode.protocol.events import AnyEvent
from qcode.tui.chat.talk import Talk, replayed
from qcode.tui.home import Wanted


async def glimpse(peek: Callable[[str], Sequence[AnyEvent]] | None, wanted: Wanted) -> Talk | None:
    """None = it is a new one, or cannot be read: opening it will say that."""
    if peek is None or not wanted.resume or wanted.before_turn:
        return None
    try:
        past = await asyncio.to_thread(peek, wanted.resume)
    except QcodeError:
        return None
    return await replayed(past)
