"""One request that is sent in order to learn from it, and what it showed. `doctor` and `bench`
measure with it, so that both ask as the agent asks."""

import asyncio
import random
import time
from contextlib import aclosing

import msgspec

from qcode.protocol.errors import ServerError
from qcode.protocol.events import Repaired, RepairKind
from qcode.protocol.messages import ToolCall
from qcode.server.base import Answer, Request, Server


class Sounding(msgspec.Struct, frozen=True):
    """What one request showed. None = not told, and not to be measured from here."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    generated_tokens: int | None = None
    first_seconds: float | None = None
    """From sending to the first token, whichever part it belongs to."""
    seconds: float = 0.0
    prompt_per_second: float | None = None
    """Of what was read anew; the server's own figure, else from the clock."""
    generated_per_second: float | None = None
    text: str = ""
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish: str = ""
    """As `AssistantMessage.finish`."""
    repairs: tuple[RepairKind, ...] = ()
    """What had to be mended in the answer, and so did not come as it should."""
    error: str = ""
    """A sentence; the rest is empty then."""

    @property
    def reread_tokens(self) -> int | None:
        """Tokens of the prompt that were read, not remembered."""
        if self.prompt_tokens is None or self.cached_tokens is None:
            return None
        return self.prompt_tokens - self.cached_tokens


_SETTLE_SECONDS = 0.02
"""llama.cpp b11549 closes the connection a millisecond behind a streamed answer: one request in
fifteen that followed at once went into it and was lost. An agent tries again; who measures does
not, and waits."""


async def sound(server: Server, request: Request) -> Sounding:
    """Send it and read it to its end. Never raises a ServerError: that is a result, too."""
    began = time.monotonic()
    repairs: list[RepairKind] = []
    try:
        async with aclosing(server.stream(request)) as items:
            async for item in items:
                if isinstance(item, Repaired):
                    repairs.append(item.kind)
                elif isinstance(item, Answer):
                    seconds = time.monotonic() - began
                    await asyncio.sleep(_SETTLE_SECONDS)
                    return _of(item, seconds, tuple(repairs))
    except ServerError as error:
        return Sounding(seconds=time.monotonic() - began, error=str(error))
    return Sounding(seconds=time.monotonic() - began, error="The answer did not end.")


def _of(answer: Answer, seconds: float, repairs: tuple[RepairKind, ...]) -> Sounding:
    message, usage = answer.message, answer.usage
    first = usage.first_token_seconds
    return Sounding(
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        generated_tokens=usage.generated_tokens,
        first_seconds=first,
        seconds=seconds,
        prompt_per_second=usage.prompt_per_second,
        generated_per_second=usage.generated_per_second,
        text=message.text,
        reasoning=message.reasoning,
        calls=message.calls,
        finish=message.finish,
        repairs=repairs,
    )


_SYLLABLES = ("ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "zu", "dan", "fer", "gol")
_BYTES_A_TOKEN = 3.0


def filler(tokens: int, salt: str) -> str:
    """Lines of code, about so many tokens; the same for the same salt, and unlike for another."""
    chance = random.Random(salt)
    lines: list[str] = []
    size = 0
    while size < tokens * _BYTES_A_TOKEN:
        name = "".join(chance.choices(_SYLLABLES, k=3))
        lines.append(f"def {name}(value):\n    return value + {chance.randint(2, 99)}\n")
        size += len(lines[-1])
    return "\n".join(lines)
