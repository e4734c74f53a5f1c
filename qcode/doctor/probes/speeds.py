"""How fast a server reads and writes at a length of prompt: several times, and the middle of it."""

from statistics import median

import msgspec
from msgspec.structs import replace

from qcode.doctor.base import Subject
from qcode.doctor.probes.talk import Talk, density, learn_density, plain
from qcode.server.sounding import Sounding

_TASK = "Count from one to a hundred, in words."
_AGAIN = "Once more."
ENDLESS = ("llamacpp", "llamacpp-router", "llama-swap", "vllm", "sglang", "nim")
"""Where `ignore_eos` is known: a short answer tells no rate."""
_LEAST_TOKENS = 12
"""Of an answer that is counted."""
STEADY = 1.5
"""Figures that lie further apart than so many times are noise."""


class Speed(msgspec.Struct, frozen=True):
    """At one length. None = not told, or too little was written."""

    prompt_tokens: int
    read: float | None
    """Tokens a second."""
    written: tuple[float, ...]
    error: str = ""

    @property
    def middle(self) -> float | None:
        """Tokens written in a second, the median."""
        return median(self.written) if self.written else None

    @property
    def is_steady(self) -> bool:
        """Whether it was written at about the same rate each time, and more than once."""
        return len(self.written) > 1 and max(self.written) < STEADY * min(self.written)


async def speed(subject: Subject, name: str, tokens: int, answer_tokens: int) -> Speed:
    """A prompt of about so many tokens, read cold; one question more, to see it written again."""
    size = round(tokens / await density(subject))
    talk = plain(f"{subject.salt} {name}", _TASK, size)
    cold = await _sent(subject, talk, answer_tokens)
    if cold.error:
        return Speed(0, None, (), cold.error)
    again = await _sent(subject, talk.answered(cold).ask(_AGAIN), answer_tokens)
    learn_density(subject, size, cold)
    return Speed(cold.prompt_tokens or tokens, _read(cold), _written(cold, again))


def _read(seen: Sounding) -> float | None:
    """The server's own figure, else by the clock; the prompt was new to it."""
    if seen.prompt_per_second or not seen.prompt_tokens or not seen.first_seconds:
        return seen.prompt_per_second
    return seen.prompt_tokens / seen.first_seconds


def _written(*soundings: Sounding) -> tuple[float, ...]:
    counted = [each for each in soundings if (each.generated_tokens or 0) >= _LEAST_TOKENS]
    return tuple(rate for each in counted if (rate := _rate(each)))


def _rate(seen: Sounding) -> float | None:
    """The same of the answer; its first token belongs to the prompt."""
    seconds = seen.seconds - (seen.first_seconds or seen.seconds)
    if seen.generated_per_second or seconds <= 0.0:
        return seen.generated_per_second
    return ((seen.generated_tokens or 0) - 1) / seconds


def joined(one: Speed, other: Speed) -> Speed:
    """Two at the same length, measured at different times."""
    return replace(one, written=(*one.written, *other.written))


async def _sent(subject: Subject, talk: Talk, answer_tokens: int) -> Sounding:
    request = talk.request(subject, answer_tokens)
    if subject.facts.kind in ENDLESS:
        request = replace(request, extra={"ignore_eos": True})
    return await subject.ask(request)
