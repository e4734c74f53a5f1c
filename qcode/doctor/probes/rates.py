"""How fast it reads and writes, near the start and further on; and whether that is what it could.

Tells a fault only where a model is known from others' measurements and the figures are steady: a
machine that does other work is no fault of the set-up.
"""

from qcode.doctor.base import Finding, Measure, Result, Subject, Verdict
from qcode.doctor.examination import SILENT
from qcode.doctor.probes import spill
from qcode.doctor.probes.asking import excerpt, fails
from qcode.doctor.probes.memory import cards
from qcode.doctor.probes.speeds import Speed, joined, speed

_FIRST_TOKENS, _SHORT_TOKENS, _LONG_TOKENS = 128, 1_000, 16_000
_READING_SECONDS, _WRITING_SECONDS = 4.0, 1.2
_LEAST_ANSWER, _MOST_ANSWER = 16, 64
_UNMEASURED_SECONDS, _LEAST_SECONDS = 15.0, 3.0
_SLOW = 12.0
"""Tokens a second: who writes no faster is not asked twice."""
_STEEP = "; that is a steep fall, and nobody's figures of this model are known to hold it against"


class RatesProbe:
    """A short prompt, one as long as there is time for, and a short one again."""

    name = "rates"
    label = "reading and writing at two lengths"

    def absent(self, subject: Subject) -> str:
        """Never: the rest is fitted to it."""
        return ""

    def estimate(self, subject: Subject) -> float:
        """What it takes on a card; it fits itself to what it measures first.

        In the shortest time it is asked too: without it the rest is guessed at.
        """
        usual = max(_UNMEASURED_SECONDS * subject.haste, _LEAST_SECONDS)
        return min(usual, 0.9 * max(subject.seconds_left, 0.0))  # time passes until it is compared

    async def run(self, subject: Subject) -> Result:
        """Also fills `subject.rates`."""
        first = await speed(subject, "first", _FIRST_TOKENS, _LEAST_ANSWER)
        if first.error:  # one request may be lost; what is refused is refused again
            first = await speed(subject, "first again", _FIRST_TOKENS, _LEAST_ANSWER)
        if first.error:
            return fails(self.name, _silent(first.error))
        _learn(subject, first)
        answer = _answer_tokens(subject)
        short = await speed(subject, "short", _short_tokens(subject), answer)
        _learn(subject, short)
        far = await self._far(subject, short, answer)
        if far and (short.middle or 0.0) > _SLOW:
            short = joined(short, await speed(subject, "short again", _FIRST_TOKENS, answer))
            subject.rates.generated_per_second = short.middle
        return self._told(subject, short, far)

    async def _far(self, subject: Subject, short: Speed, answer: int) -> Speed | None:
        tokens = _long_tokens(subject)
        if short.error or tokens < 2 * short.prompt_tokens:
            return None
        far = await speed(subject, "long", tokens, answer)
        if not far.error and far.read:
            subject.rates.prompt_per_second = far.read
        return None if far.error else far

    def _told(self, subject: Subject, short: Speed, far: Speed | None) -> Result:
        if short.error or not short.middle:
            said = short.error or f"{_point(short)}: too little was written"
            return Result(probe=self.name, verdict="unclear", said=said)
        here = cards(subject.facts.base_url)
        findings = spill.findings(subject.facts, short, far, here)
        is_odd = far is not None and spill.is_steep(short, far)
        usual: Verdict = "unclear" if is_odd else "works"
        return Result(
            probe=self.name,
            verdict="fails" if findings else usual,
            said=_said(short, far) + (_STEEP if is_odd and not findings else ""),
            findings=findings,
            measured=_measured(short, far) | spill.counters(here),
        )


def _silent(error: str) -> Finding:
    return Finding(
        id=SILENT,
        weight="broken",
        title="The server does not answer a plain question.",
        cost="Nothing works; what the other checks would show is not to be known.",
        change="Look at the end of the server's own log, and at its answer: " + excerpt(error),
        evidence={"answer": excerpt(error)},
    )


def _learn(subject: Subject, seen: Speed) -> None:
    subject.rates.prompt_per_second = seen.read or subject.rates.prompt_per_second
    subject.rates.generated_per_second = seen.middle or subject.rates.generated_per_second


def _answer_tokens(subject: Subject) -> int:
    rate = subject.rates.generated_per_second or _SLOW
    return max(_LEAST_ANSWER, min(round(rate * _WRITING_SECONDS * subject.haste), _MOST_ANSWER))


def _short_tokens(subject: Subject) -> int:
    rate = subject.rates.prompt_per_second or _FIRST_TOKENS
    fits = (subject.facts.context_tokens or 4_096) // 8
    return max(min(_SHORT_TOKENS, round(rate * 2.0 * subject.haste), fits), _FIRST_TOKENS)


def _long_tokens(subject: Subject) -> int:
    rate = subject.rates.prompt_per_second or 0.0
    fits = (subject.facts.context_tokens or 4_096) * 6 // 10
    return min(_LONG_TOKENS, round(rate * _READING_SECONDS * subject.haste), fits)


def _said(short: Speed, far: Speed | None) -> str:
    parts = [_point(short), *([_point(far)] if far else [])]
    fall = ""
    if far and far.middle and short.middle:
        fall = f" ({100 * (far.middle / short.middle - 1):+.0f} % written)"
    noise = "" if short.is_steady else "; the figures vary, the machine may be busy"
    return "; ".join(parts) + fall + noise


def _point(seen: Speed) -> str:
    read = f"{seen.read:,.0f}" if seen.read else "?"
    written = f"{seen.middle:,.1f}" if seen.middle else "?"
    return f"at {seen.prompt_tokens:,} tokens {read} read and {written} written a second"


def _measured(short: Speed, far: Speed | None) -> dict[str, Measure]:
    told: dict[str, Measure] = {"steady": short.is_steady}
    for name, seen in (("short", short), ("long", far)):
        if seen:
            told |= {
                f"{name}_tokens": seen.prompt_tokens,
                f"{name}_read_per_second": seen.read,
                f"{name}_written_per_second": seen.middle,
            }
    return told
