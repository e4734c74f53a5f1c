"""How far a turn may go, and how far it has gone."""

import msgspec

from qcode.protocol.events import TurnFinished, Usage


class Limits(msgspec.Struct, frozen=True):
    """Upper bounds of one turn; None = unbounded."""

    max_steps: int = 200
    max_tool_calls: int | None = None
    max_wall_seconds: float | None = None
    """From the prompt on: for the first turn, finding the server counts as well."""
    max_tokens: int | None = None
    """Tokens read (those from the server's cache left out) and generated."""


class Spent(msgspec.Struct):
    """What a turn has used so far."""

    steps: int = 0
    tool_calls: int = 0
    tokens: int = 0
    denied_steps: int = 0
    """Steps running, up to the last one, in which every call was denied."""

    def add(self, usage: Usage) -> None:
        """Count one answer. What the server does not tell counts as 0."""
        read = max(0, (usage.prompt_tokens or 0) - (usage.cached_tokens or 0))
        self.tokens += read + (usage.generated_tokens or 0)


DENIED_STEPS = 3
"""After so many steps running in which every call was denied, the turn ends."""


def reached(limits: Limits, spent: Spent) -> TurnFinished | None:
    """The end of the turn when a limit is reached before its next step, else None."""
    if spent.denied_steps >= DENIED_STEPS:
        return TurnFinished("denied", f"Every call of {DENIED_STEPS} steps running was denied.")
    if spent.steps >= limits.max_steps:
        return TurnFinished("max_steps", at_limit(limits.max_steps, "step"))
    if limits.max_tokens is not None and spent.tokens >= limits.max_tokens:
        said = f"The limit of {limits.max_tokens:,} tokens was reached ({spent.tokens:,} used)."
        return TurnFinished("max_tokens", said)
    return None


def at_limit(most: int, what: str) -> str:
    """That so many of something were all that there may be, as a sentence."""
    return f"The limit of {most:,} {what}{'s' * (most != 1)} was reached."


def out_of_time(limits: Limits) -> TurnFinished:
    """The end of a turn that took too long."""
    seconds = limits.max_wall_seconds or 0.0
    return TurnFinished("max_wall_time", f"The limit of {seconds:g} s was reached.")


def tokens_left(limits: Limits, spent: Spent) -> int | None:
    """How many tokens an answer may still have; None = any number."""
    return None if limits.max_tokens is None else max(1, limits.max_tokens - spent.tokens)


def calls_left(limits: Limits, spent: Spent) -> int | None:
    """How many more calls may run; None = any number."""
    if limits.max_tool_calls is None:
        return None
    return max(0, limits.max_tool_calls - spent.tool_calls)
