"""How many tokens a text is, by Qwen's shipped table.

An estimate for a model with another vocabulary: Qwen 3.5's own is larger than the table, so the
table counts a little too much. What a server reports in its usage is the truth.
"""

import base64
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"
    r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_MARKS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
    "<think>",
    "</think>",
)
"""One token each in Qwen's vocabularies. The ids are our own: only their number is used."""


def encode(text: str) -> list[int]:
    """The tokens of `text` by the shipped table. The first call reads it: 0.3 s and 56 MB."""
    return _table().encode(text, allowed_special="all")


def count(text: str) -> int:
    """Tokens of `text` by the shipped table; see `encode` for what it costs."""
    return len(encode(text))


@cache
def _table() -> "tiktoken.Encoding":
    import tiktoken  # noqa: PLC0415  56 MB and 0.3 s with its table, for those who count only

    # Read by hand: tiktoken's own loader would keep a copy in the folder for temporary files.
    data = (resources.files("qcode.server") / "data" / "qwen.tiktoken").read_bytes()
    rows = (line.split() for line in data.splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in rows}
    marks = {mark: len(ranks) + at for at, mark in enumerate(_MARKS)}
    return tiktoken.Encoding("qwen", pat_str=_PATTERN, mergeable_ranks=ranks, special_tokens=marks)
