"""Words that wait, taken back by the person who said them."""

from collections.abc import MutableSequence
from typing import Any

from qcode.protocol.inputs import Compact
from qcode.protocol.messages import UserMessage


def all_back(
    waiting: MutableSequence[Any], steers: MutableSequence[UserMessage]
) -> tuple[UserMessage, ...]:
    """All of them. A summary that waits was asked for by the same person and goes, too; what only
    sets something stays."""
    queued = [one for one in waiting if isinstance(one, UserMessage)]
    back: tuple[UserMessage, ...] = (*steers, *queued)
    steers.clear()
    kept = [one for one in waiting if not isinstance(one, UserMessage | Compact)]
    waiting.clear()
    waiting.extend(kept)
    return back


def last_back(
    waiting: MutableSequence[Any], steers: MutableSequence[UserMessage]
) -> tuple[UserMessage, ...]:
    """The last of what is queued, else the last steer, if any."""
    for at in range(len(waiting) - 1, -1, -1):
        one = waiting[at]
        if isinstance(one, UserMessage):
            del waiting[at]
            return (one,)
    return (steers.pop(),) if steers else ()
