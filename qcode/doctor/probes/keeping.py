"""What llama.cpp's engine itself keeps, with no template between: extended and changed prompts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from qcode.doctor.base import Subject
from qcode.doctor.probes.raw import Raw
from qcode.server.ask import NoAnswer

TOKENS = 640

Keeps = Literal["all", "ends", "when asked", "nothing"]
"""`ends` = a prompt that extends the last one is reused, one that differs before its end is read
whole; `when asked` = only for requests that say `cache_prompt`, qcode's being such."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Two kinds of the same prompt: longer, and changed three tokens before its end."""

    keeps: Keeps
    extended_reread: int
    changed_reread: int


async def kept(subject: Subject) -> Kept | None:
    """Try it. None = the engine cannot be asked."""
    raw = Raw(subject)
    try:
        plain = await _pair(raw, "as it is", {})
        if plain.keeps != "nothing":
            return plain
        asked = await _pair(raw, "as it is asked", {"cache_prompt": True})
        return Kept("when asked", *_figures(plain)) if asked.keeps != "nothing" else asked
    except NoAnswer:
        return None


def _figures(kept: Kept) -> tuple[int, int]:
    return kept.extended_reread, kept.changed_reread


async def _pair(raw: Raw, name: str, fields: Mapping[str, object]) -> Kept:
    prompt = await raw.prompt(TOKENS, name)
    first = await raw.complete(prompt, fields)
    behind = prompt[:3]
    longer = await raw.complete((*prompt, *first.tokens, *behind), fields)
    # what was generated is kept but for its last token, which was never read
    extended = max(len(prompt) - longer.cached, 0)
    other = await raw.complete((*prompt[:-3], *reversed(prompt[:3])), fields)
    changed = max(len(prompt) - 3 - other.cached, 0)
    if extended > len(prompt) // 2:
        return Kept("nothing", extended, changed)
    return Kept("ends" if changed > len(prompt) // 2 else "all", extended, changed)
