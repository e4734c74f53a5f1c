"""How much of a prompt a server read again, by its own count or by the clock."""

from typing import Literal

import msgspec

from qcode.server.sounding import Sounding

Reuse = Literal["reused", "reread", "unclear"]

SESSION_TOKENS = 60_000
"""Costs are told for a session of so many."""
BLOCK_TOKENS = {"vllm": 2_100, "nim": 2_100}
"""What is read again where whole blocks alone are kept: vLLM's are of 528 or 2,048 tokens for
hybrid models (vllm 51250)."""
_SHARE, _LEAST_TOKENS = 0.25, 300
_CLOCK_LEAST_SECONDS = 1.0
"""Shorter, and the clock tells nothing about reading."""


class Reread(msgspec.Struct, frozen=True):
    """One step of a conversation against the step before."""

    how: Reuse
    prompt_tokens: int = 0
    tokens: int | None = None
    """Read again although the step before had them; None = the server does not count."""
    seconds: float = 0.0
    """Until the first token."""


def by_count(sounding: Sounding, known_tokens: int, block_tokens: int = 0) -> Reread | None:
    """By what the server counted; `known_tokens` of the prompt stood in the one before.

    None = it does not count. A quarter of what was known decides: templates move a few tokens.
    Less than a block of the server's cache tells nothing: whole ones alone are kept.
    """
    if sounding.prompt_tokens is None or sounding.cached_tokens is None:
        return None
    again = max(known_tokens - sounding.cached_tokens, 0)
    how: Reuse = "reused"
    if again > max(_SHARE * known_tokens, _LEAST_TOKENS):
        how = "reread" if again > block_tokens else "unclear"
    return Reread(how, sounding.prompt_tokens, again, sounding.first_seconds or sounding.seconds)


def by_clock(sounding: Sounding, cold: Sounding) -> Reread:
    """By the time to the first token against that of the prompt read cold."""
    first, whole = sounding.first_seconds, cold.first_seconds
    prompt = sounding.prompt_tokens or 0
    if first is None or whole is None or whole < _CLOCK_LEAST_SECONDS:
        return Reread("unclear", prompt)
    how: Reuse = "unclear"
    if first < 0.4 * whole:
        how = "reused"
    elif first > 0.75 * whole:
        how = "reread"
    return Reread(how, prompt, None, first)


def cost(step: Reread, what: str, known_tokens: int) -> str:
    """What it costs, here and in a long session."""
    again = step.tokens if step.tokens is not None else known_tokens
    share = again / step.prompt_tokens if step.prompt_tokens else 1.0
    session = round(share * SESSION_TOKENS, -2)
    seconds = step.seconds * session / again if again else 0.0
    return (
        f"{what} reads {again:,} of {step.prompt_tokens:,} tokens again, {step.seconds:.1f} s; in "
        f"a session of {SESSION_TOKENS:,} tokens that is {session:,.0f} tokens, {seconds:.0f} s "
        "each time."
    )
