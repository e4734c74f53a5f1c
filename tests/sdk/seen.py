"""What the client saw, over all tests: the figure "events of each kind"."""

from collections import Counter
from typing import Any

SEEN: Counter[str] = Counter()


def kind(message: Any) -> str:
    """Class of the client, with the subtype or the kind of event where there is one."""
    name = type(message).__name__
    inner = getattr(message, "event", None)
    told = inner.get("type") if isinstance(inner, dict) else getattr(message, "subtype", "")
    return f"{name} {told}".rstrip()


def note(message: Any) -> Any:
    """Count it, and pass it on."""
    SEEN[kind(message)] += 1
    for block in getattr(message, "content", None) or ():
        SEEN[type(block).__name__] += not isinstance(block, str)
    return message
