"""What a person may change between two requests."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

from qcode.protocol.errors import InputError
from qcode.protocol.inputs import SetSampling

EFFORT: Mapping[str, int | None] = {
    "off": 0,
    "low": 2_000,
    "medium": 8_000,
    "high": 16_000,
    "max": None,
}
"""Words for a thinking budget -> tokens; None = what an answer may have, less `ANSWER_TOKENS`."""

ANSWER_TOKENS = 4_000
"""Kept for the answer after the longest thinking."""


def thinking_tokens(wanted: int | str, max_tokens: int) -> int:
    """The budget that a word of `EFFORT` or a number, also in digits, stands for; 0 = off.

    Raises InputError for any other word and for a number below zero.
    """
    if isinstance(wanted, str) and wanted in EFFORT:
        tokens = EFFORT[wanted]
        return max(0, max_tokens - ANSWER_TOKENS) if tokens is None else tokens
    if isinstance(wanted, str) and wanted.isascii() and wanted.isdigit():
        wanted = int(wanted)
    if isinstance(wanted, int) and wanted >= 0:
        return wanted
    words = ", ".join(EFFORT)
    raise InputError(f"{wanted!r} is no thinking budget. Write {words}, or a number of tokens.")


class Settings(msgspec.Struct):
    """Read at each request and each call; never part of the system text."""

    mode: Literal["plan", "ask", "edit", "auto"]
    """Permission mode."""
    model: str
    thinking_budget: int
    """Tokens; 0 = thinking off."""
    preset: Literal["coding", "general", "reasoning"] = "coding"
    """Which of the published sampling values hold; see `server.families.mode`."""
    max_tokens: int = 32_768
    """Upper bound of one answer, thinking included; lowered to what the context has left."""
    sampling: SetSampling = msgspec.field(default_factory=SetSampling)
    """What a person said during the run; None in a field = not said."""
    overrides: tuple[tuple[str, SetSampling], ...] = ()
    """What the configuration says of models: a pattern of their names, and values."""
    loops: Literal["break", "off"] = "break"
    """What to do about a model that repeats itself; off = let it."""

    def said(self, model: str) -> dict[str, float | int]:
        """The sampling values that were said for `model`, by name: all patterns that fit, a later
        one over an earlier, and over them what was said during the run."""
        found: dict[str, float | int] = {}
        for pattern, values in self.overrides:
            if fits(pattern, model):
                found |= _set(values)
        return found | _set(self.sampling)


def fits(pattern: str, model: str) -> bool:
    """As in the configuration (`config.profiles`, which this floor cannot ask): upper and lower
    case are the same, and a pattern without `*`, `?` or `[` may stand anywhere."""
    wanted, name = pattern.casefold(), model.casefold()
    return wanted in name or fnmatchcase(name, wanted)


def _set(values: SetSampling) -> dict[str, float | int]:
    """The fields that are not None."""
    fields = msgspec.structs.asdict(values)
    return {name: value for name, value in fields.items() if value is not None}
