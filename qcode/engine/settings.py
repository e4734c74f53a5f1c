"""What a person may change between two requests."""

from dataclasses import dataclass, field
from typing import Literal

from qcode.protocol.inputs import SetSampling

EFFORT = {"off": 0, "low": 2_000, "medium": 8_000, "high": 16_000}
"""Words for a thinking budget -> tokens; `max` is what an answer may have, less `ANSWER_TOKENS`."""

ANSWER_TOKENS = 4_000
"""Kept for the answer after the longest thinking."""


def thinking_tokens(wanted: int | str, max_tokens: int) -> int:
    """The budget that a number or a word of `EFFORT` stands for; 0 = thinking off."""
    if isinstance(wanted, int):
        return wanted
    return EFFORT.get(wanted, max(0, max_tokens - ANSWER_TOKENS))


@dataclass(slots=True)
class Settings:
    """Read at each request and each call; never part of the system text."""

    mode: Literal["plan", "ask", "edit", "auto"]
    """Permission mode."""
    model: str
    thinking_budget: int
    """Tokens; 0 = thinking off."""
    preset: Literal["coding", "general"] = "coding"
    """Which of the published sampling values hold while thinking."""
    max_tokens: int = 32_768
    """Upper bound of one answer, thinking included; lowered to what the context has left."""
    sampling: SetSampling = field(default_factory=SetSampling)
    """Overrides; None in a field = the preset's value."""
