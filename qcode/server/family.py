"""What a row about a family of models says. The rows are `families`'."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Mode = Literal["thinking_general", "thinking_coding", "instruct_general", "instruct_reasoning"]
"""What the makers publish values for: thinking or not, and for which work."""

Preset = Literal["coding", "general", "reasoning"]
"""The work, as a person says it."""

Values = Mapping[str, float | int]
"""Sampling, by our names (`fields.SAMPLING`); temperature and top_p are always there."""

Thinks = Literal["switch", "always", "never", "levels", "unknown"]
"""Whether the model thinks: as asked; always; never; always, and how much by a word; not known, so
that it is asked where asking cannot hurt."""

LEVEL_TOKENS = (2_000, 8_000)
"""A budget up to the first is the lowest of three levels, up to the second the middle one."""

WORDS = ("low", "medium", "high")
"""For servers that know thinking by words."""


class Modes(msgspec.Struct, frozen=True):
    """Values for each mode."""

    thinking_general: Values
    thinking_coding: Values
    instruct_general: Values
    instruct_reasoning: Values

    def of(self, mode: Mode) -> Values:
        """The values of one mode."""
        return {
            "thinking_general": self.thinking_general,
            "thinking_coding": self.thinking_coding,
            "instruct_general": self.instruct_general,
            "instruct_reasoning": self.instruct_reasoning,
        }[mode]


class Family(msgspec.Struct, frozen=True):
    """Models that share their values."""

    name: str
    pattern: str
    """A regular expression, searched in `families.plain_name` of the model."""
    source: str
    """Where the values were read, for people."""
    modes: Modes
    thinks: Thinks = "switch"
    switch: str = "enable_thinking"
    """The template's keyword that turns thinking on and off."""
    keeps: Mapping[str, bool] = msgspec.field(default_factory=lambda: {"preserve_thinking": True})
    """The template's keywords that keep the reasoning of earlier turns in the prompt. Templates
    that do not know them ignore them (seen by rendering Qwen's)."""
    levels: tuple[str, ...] = ()
    """Three words for `reasoning_effort`: for a small, a middle and a large budget; empty = the
    template takes none, or its own is best."""
    closes: Literal["marks", "field", ""] = "marks"
    """How an answer is given whose reasoning is closed, where the server renders it with the
    model's own template (`continuing`): `<think>` marks in the content; the field of the reasoning,
    since the template does not take content apart; empty = not at all, its marks are others."""
    xml: bool = False
    """Whether calls are `<function=NAME>` in the text, and the template wants their arguments as an
    object."""
    opens: bool = False
    """Whether the template opens the block of reasoning in the prompt, so that the model writes
    only its end."""
    frozen: bool = False
    """Whether the template writes the switch or the level into text that stands before the last
    message: another one would have the whole prompt read again, so a run keeps its first."""


def level(words: tuple[str, ...], thinking_budget: int) -> str:
    """The one of three words for a budget; empty = there are none."""
    return words[sum(thinking_budget > most for most in LEVEL_TOKENS)] if words else ""
