"""What llama.cpp's engine itself keeps, with no template between: extended and changed prompts."""

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec.structs import replace

from qcode.doctor.base import Subject
from qcode.doctor.probes.raw import Raw
from qcode.server.ask import NoAnswer

_MOST_TOKENS, _LEAST_TOKENS = 640, 160
_READING_SECONDS = 2.0

Keeps = Literal["all", "ends", "nothing"]
"""`ends` = a prompt that extends the last one is reused, one that differs before its end is read
whole."""

_ORDER: tuple[Keeps, ...] = ("all", "ends", "nothing")
"""From the best."""


class Kept(msgspec.Struct, frozen=True):
    """Two kinds of the same prompt: longer, and changed three tokens before its end."""

    keeps: Keeps
    extended_reread: int = 0
    changed_reread: int = 0
    only_asked: bool = False
    """Only for requests that say `cache_prompt`; what others lose is told by nothing here."""

    @property
    def told(self) -> str:
        """For scripts: `ends`, `ends when asked`, `when asked`."""
        if not self.only_asked:
            return self.keeps
        return "when asked" if self.keeps == "all" else f"{self.keeps} when asked"


def size(subject: Subject) -> int:
    """Tokens of a prompt: what is read in two seconds."""
    rate = subject.rates.prompt_per_second
    fitted = round(rate * _READING_SECONDS * subject.haste) if rate else _MOST_TOKENS
    return max(min(fitted, _MOST_TOKENS), _LEAST_TOKENS)


async def kept(subject: Subject) -> Kept | None:
    """Try it, and again where something is lost: another program may have come between.

    None = the engine cannot be asked.
    """
    raw = Raw(subject)
    try:
        first = await _tried(raw, "")
        if first.keeps == "all":
            return first
        second = await _tried(raw, " again")
        return min(first, second, key=lambda each: _ORDER.index(each.keeps))
    except NoAnswer:
        return None


async def _tried(raw: Raw, name: str) -> Kept:
    plain = await _pair(raw, f"as it is{name}", {})
    if plain.keeps != "nothing":
        return plain
    asked = await _pair(raw, f"as it is asked{name}", {"cache_prompt": True})
    if asked.keeps == "nothing":
        return asked
    return replace(asked, only_asked=True)


async def _pair(raw: Raw, name: str, fields: Mapping[str, object]) -> Kept:
    prompt = await raw.prompt(size(raw.subject), name)
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
