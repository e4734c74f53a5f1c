"""How models differ, as data: the sampling values that their makers recommend.

Qwen's are from the model cards of Qwen3.5-35B-A3B, Qwen3.6-35B-A3B, Qwen3.8-27B, Qwen3-Coder and
Qwen3-Coder-Next (read in November 2026); `min_p` is always sent, since llama.cpp's own is 0.05.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Mode = Literal["coding", "general", "instruct"]
"""Thinking for code, thinking for the rest, not thinking."""

Values = Mapping[str, float | int]
"""Fields of a request."""


@dataclass(frozen=True, slots=True)
class Family:
    """Models that share their values; `pattern` is searched in the name, case ignored."""

    name: str
    pattern: str
    modes: Mapping[Mode, Values]


def _qwen(temperature: float, top_p: float, presence_penalty: float, top_k: int = 20) -> Values:
    return {
        "temperature": temperature,
        "top_p": top_p,
        "top_k": top_k,
        "min_p": 0.0,
        "presence_penalty": presence_penalty,
    }


_CODER_NEXT = _qwen(1.0, 0.95, 0.0, top_k=40)
_CODER = {**_qwen(0.7, 0.8, 0.0), "repeat_penalty": 1.05}
_INSTRUCT = _qwen(0.7, 0.8, 1.5)
_CODING = _qwen(0.6, 0.95, 0.0)

FAMILIES: tuple[Family, ...] = (
    Family(
        "Qwen3-Coder-Next",
        r"qwen-?3-?coder-?next",
        {"coding": _CODER_NEXT, "general": _CODER_NEXT, "instruct": _CODER_NEXT},
    ),
    Family(
        "Qwen3-Coder",
        r"qwen-?3-?coder",
        {"coding": _CODER, "general": _CODER, "instruct": _CODER},
    ),
    Family(
        "Qwen3.8",
        r"qwen-?3\.8",
        {"coding": _qwen(1.0, 0.95, 0.0), "general": _qwen(1.0, 0.95, 0.0), "instruct": _INSTRUCT},
    ),
    Family(
        "Qwen3.6-27B",  # its card differs from the 35B's in one value
        r"qwen-?3\.6-?27b",
        {"coding": _CODING, "general": _qwen(1.0, 0.95, 0.0), "instruct": _INSTRUCT},
    ),
    Family(
        "Qwen3.5 and 3.6",
        r"qwen-?3\.[56]",
        {"coding": _CODING, "general": _qwen(1.0, 0.95, 1.5), "instruct": _INSTRUCT},
    ),
)

GENERIC = Family(
    "generic",
    "",
    # Said openly, because defaults range from greedy (mlx_lm) to 1.0 (Ollama's /v1).
    {mode: {"temperature": 0.7, "top_p": 0.95} for mode in ("coding", "general", "instruct")},
)


def family(model: str) -> Family:
    """The first family whose pattern is in the name, else the generic one."""
    found = (row for row in FAMILIES if re.search(row.pattern, model, re.IGNORECASE))
    return next(found, GENERIC)


def sampling(model: str, mode: Mode) -> Values:
    """The values to send for a model in a mode."""
    return family(model).modes[mode]
