"""The levels of thinking, for the keys that go through them."""

from qcode.engine.settings import EFFORT, thinking_tokens

LARGEST = 1_000_000
"""Stands for `max` where levels are compared."""


def next_level(budget: int | None, step: int) -> str:
    """The word for the level above (1) or below (-1) a budget in tokens; None = not known yet.

    >>> next_level(8_000, 1), next_level(9_000, -1), next_level(0, -1)
    ('high', 'medium', 'off')
    """
    words = tuple(EFFORT)
    if budget is None:
        return "medium"
    tokens = [thinking_tokens(word, LARGEST) for word in words]
    if step > 0:
        return next((word for word, own in zip(words, tokens, strict=True) if own > budget), "max")
    below = [word for word, own in zip(words, tokens, strict=True) if own < budget]
    return below[-1] if below else "off"
