"""Does the server cut a long prompt without a word? By its own count of one that it cannot have
cut, a longer one is told what it must count."""

import msgspec

from qcode.doctor.base import Finding, Learned, Measure, Result, Subject
from qcode.doctor.probes.advice import GOOD_TOKENS, context
from qcode.doctor.probes.talk import Talk, answer_of, density
from qcode.protocol.messages import user
from qcode.server.sounding import Sounding, filler

_REFUSE = ("llamacpp", "llamacpp-router", "llama-swap", "vllm", "sglang", "nim")
"""Servers that answer a prompt that is too long with an error (servers' sources, November 2026)."""
_LIMITS = (2_048, 4_096, 8_192, 16_384, 32_768)
"""Defaults that are met in the field: llama-cpp-python's, Ollama's, LM Studio's."""
_BEYOND = 1.3
_SMALL_TOKENS = 700
_READING_SECONDS = 8.0
_ASSUMED_TOKENS = 8_192
"""Of a context that is not told."""
_MISSING = 0.25


class Truncation:
    """A short prompt, then one that is longer than limits which servers are known to have."""

    name = "truncation"
    label = "sending a long prompt"

    def absent(self, subject: Subject) -> str:
        """Where it cannot be, or is not to be tried."""
        if subject.facts.kind in _REFUSE:
            return "the server refuses what is too long"
        return "" if _size(subject) else "its context is too short to hide a limit"

    def estimate(self, subject: Subject) -> float:
        """Both prompts, read once each."""
        return 1.0 + subject.rates.seconds(_SMALL_TOKENS + _size(subject), 24)

    async def run(self, subject: Subject) -> Result:
        """Counts alone decide; whether the model knows the start is evidence beside them."""
        size = _size(subject)
        short = await _sent(subject, "small", _SMALL_TOKENS)
        long = await _sent(subject, "large", size)
        if error := short.sounding.error or long.sounding.error:
            return Result(probe=self.name, verdict="unclear", said=error)
        told, expected = long.sounding.prompt_tokens, long.expected(short)
        if not told or not expected:
            said = "the server counts no prompts: nothing can be told"
            return Result(probe=self.name, verdict="unclear", said=said)
        measured: dict[str, Measure] = {"expected_tokens": expected, "told_tokens": told}
        measured |= {"start_known": long.is_known}
        if told > (1.0 - _MISSING) * expected:
            said = f"a prompt of {told:,} tokens was taken whole"
            return Result(probe=self.name, verdict="works", said=said, measured=measured)
        return Result(
            probe=self.name,
            verdict="fails",
            said=f"of {expected:,} tokens {told:,} were read",
            findings=(_cut(subject, expected, told, long),),
            measured=measured,
            learned=Learned(context_tokens=_kept(told)),
        )


class _Asked(msgspec.Struct, frozen=True):
    """One prompt."""

    sounding: Sounding
    characters: int
    word: str
    """What stands at its start, and is asked for at its end."""

    def expected(self, other: "_Asked") -> int | None:
        """Tokens, at the rate of another that was taken whole."""
        told = other.sounding.prompt_tokens
        return round(self.characters * told / other.characters) if told else None

    @property
    def is_known(self) -> bool:
        """Whether the model repeated the word."""
        return self.word in self.sounding.text


async def _sent(subject: Subject, name: str, tokens: int) -> _Asked:
    salt = f"{subject.salt} {name}"
    word = f"{subject.salt[:4]}-{len(name)}{tokens % 97}"
    size = round(tokens / await density(subject) / 2)
    first = user(f"The word is {word}.\n\n{filler(size, f'{salt} 1')}")
    second = user(f"{filler(size, f'{salt} 2')}\n\nWhat was the word? Say it, and nothing else.")
    talk = Talk(f"Examination {salt}.", (first, answer_of(Sounding(text="I have it.")), second))
    characters = len(talk.system) + len(first.text) + len(second.text)
    return _Asked(await subject.ask(talk.request(subject, 12)), characters, word)


def _size(subject: Subject) -> int:
    """As many tokens as go beyond the largest limit that there is room and time for; 0 = none."""
    told = subject.facts.context_tokens or _ASSUMED_TOKENS
    rate = subject.rates.prompt_per_second
    most = min(0.85 * told, rate * _READING_SECONDS if rate else 6_000.0)
    return max((round(_BEYOND * limit) for limit in _LIMITS if _BEYOND * limit <= most), default=0)


def _kept(told: int) -> int:
    """The limit behind what was kept: servers cut to it, or below it."""
    return next((limit for limit in _LIMITS if told <= limit), told)


def _cut(subject: Subject, expected: int, told: int, long: _Asked) -> Finding:
    return Finding(
        id="truncation.silent",
        weight="broken",
        title=f"Of a prompt of {expected:,} tokens the server read {told:,}, and said nothing.",
        cost="Instructions and what was read before are gone, while the conversation goes on: the "
        "model forgets its task.",
        change=context(subject.facts, GOOD_TOKENS),
        evidence={
            "expected_tokens": expected,
            "told_tokens": told,
            "context_tokens": subject.facts.context_tokens,
            "start_known": long.is_known,
        },
        source="measured; Ollama's server/prompt.go (0.33), ollama 18107",
    )
