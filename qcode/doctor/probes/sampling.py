"""Sampling values that a server takes, and may drop without a word.

`min_p` and `top_k` by what they must do: at a temperature that makes noise of any answer, each of
them at its narrowest leaves the likeliest token alone, and the answer is whole again. Penalties by
what they cannot but do: with the same seed a text of free choices comes out otherwise. Where a
seed does not give the same text twice, nothing follows from another one.

Values go out as `Request.extra`, in the row's spelling: a server that refuses a temperature must
not be remembered as one that takes none.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from qcode.doctor.base import Finding, Learned, Result, Subject
from qcode.doctor.probes import changes
from qcode.doctor.probes.asking import cost, excerpt, has, question, unclear, word, works
from qcode.doctor.probes.speeds import ENDLESS
from qcode.server.base import Request
from qcode.server.fields import WINDOW_TOKENS
from qcode.server.quirks import QUIRKS, of
from qcode.server.sounding import Sounding

_HOT = (5.0, 2.0)
"""Temperatures of noise; the second for servers that take no higher one."""
_NARROW: Mapping[str, float] = {"min_p": 1.0, "top_k": 1}
_STRONG: Mapping[str, float] = {"presence_penalty": 2.0, "repeat_penalty": 1.8}
_WORDS = 5
_SAY_TOKENS = 64
_TEXT_TOKENS = 48
_LEAST_CHARACTERS = 24


class CutoffsProbe:
    """Are `min_p` and `top_k` heard."""

    name = "min_p"
    label = "min_p and top_k in the heat"

    def absent(self, subject: Subject) -> str:
        """Only values that are sent at all."""
        return _none_of(subject, _NARROW)

    def estimate(self, subject: Subject) -> float:
        """Cold, hot, and hot with each of them."""
        return cost(subject, 2 + len(_taken(subject, _NARROW)), _SAY_TOKENS)

    async def run(self, subject: Subject) -> Result:
        """First whether the model can say the words at all, and whether heat undoes them."""
        words = [word(subject, 30 + at) for at in range(_WORDS)]
        plain = question(
            subject, f"Repeat these words and write nothing else: {' '.join(words)}", _SAY_TOKENS
        )
        cold = await subject.ask(plain)
        if cold.error or not has(cold.text, *words):
            return unclear(
                self.name,
                cold.error or "the model did not repeat the words that it was told to repeat",
            )
        hot, heat = await _heated(subject, plain)
        if hot.error or has(hot.text, *words):
            why = "a temperature of 5 changes nothing"
            return unclear(self.name, hot.error or why)
        return await self._each(subject, plain, heat, words)

    async def _each(
        self, subject: Subject, plain: Request, heat: float, words: list[str]
    ) -> Result:
        heard, ignored = [], []
        for name in _taken(subject, _NARROW):
            narrow = {name: _NARROW[name]}
            seen = await subject.ask(_hot(subject, plain, heat, narrow, 1))
            if not seen.error and not has(seen.text, *words):
                seen = await subject.ask(_hot(subject, plain, heat, narrow, 2))
            if has(seen.text, *words):
                heard.append(name)
            elif not seen.error:
                ignored.append((name, seen.text))
        return _told(self.name, subject, heard, ignored)


async def _heated(subject: Subject, plain: Request) -> tuple[Sounding, float]:
    """The answer at the highest temperature that is taken."""
    for heat in _HOT:
        seen = await subject.ask(_hot(subject, plain, heat, {}, 1))
        if not seen.error:
            break
    return seen, heat


def _hot(
    subject: Subject, plain: Request, heat: float, values: Mapping[str, float], seed: int
) -> Request:
    """`top_p` wide open: llama.cpp applies it ahead of the temperature, and one token remains."""
    wished = {"temperature": heat, "top_p": 1.0, **values}
    return replace(plain, sampling={}, extra=_spelled(subject, wished, seed))


class PenaltiesProbe:
    """Are penalties heard."""

    name = "penalties"
    label = "the same text with a penalty"

    def absent(self, subject: Subject) -> str:
        """Only values that are sent at all."""
        return _none_of(subject, _STRONG)

    def estimate(self, subject: Subject) -> float:
        """Three texts without, one or two with each."""
        return cost(subject, 3 + 2 * len(_taken(subject, _STRONG)), _TEXT_TOKENS)

    async def run(self, subject: Subject) -> Result:
        """Twice the same, once with another seed: then with each penalty."""
        free = question(
            subject,
            "Write random letters of the alphabet, in lower case, one blank between two. Repeats "
            "are welcome. Write nothing else.",
            _TEXT_TOKENS,
        )
        free = replace(free, max_tokens=_TEXT_TOKENS, sampling={})
        plain = [await _text(subject, free, seed, {}) for seed in (1, 1, 2)]
        if why := _why_not(plain):
            return unclear(self.name, why)
        heard, ignored = [], []
        for name in _taken(subject, _STRONG):
            values = {name: _STRONG[name]}
            texts = [await _text(subject, free, seed, values) for seed in (1, 2)]
            if texts == plain[1:]:
                ignored.append((name, texts[0]))
            elif all(texts):
                heard.append(name)
        return _told(self.name, subject, heard, ignored)


def _why_not(plain: list[str]) -> str:
    """Why nothing follows from these texts, a clause; empty = something does."""
    first, again, other = plain
    if any(len(text) < _LEAST_CHARACTERS for text in plain):
        return "the model wrote too little"
    if first != again:
        return "the same seed does not give the same text there"
    return "another seed gives the same text there" if first == other else ""


async def _text(subject: Subject, free: Request, seed: int, values: Mapping[str, float]) -> str:
    """What came, thinking too; empty = nothing."""
    window = {"penalty_window": WINDOW_TOKENS} if values else {}
    wished = {"temperature": 1.0, "top_p": 1.0, **values, **window}
    on = {"ignore_eos": True} if subject.facts.kind in ENDLESS else {}
    seen = await subject.ask(replace(free, extra=_spelled(subject, wished, seed) | on))
    return seen.reasoning + seen.text


def _row(subject: Subject) -> Mapping[str, str]:
    return of(subject.facts.kind, subject.facts.version).sampling


def _taken(subject: Subject, values: Mapping[str, float]) -> list[str]:
    """Those that this server is sent, by our names."""
    row, refused = _row(subject), subject.facts.refused
    return [name for name in values if row.get(name, "") not in ("", *refused)]


def _none_of(subject: Subject, values: Mapping[str, float]) -> str:
    if _taken(subject, values):
        return ""
    return f"{QUIRKS[subject.facts.kind].name} takes none: none is sent"


def _spelled(subject: Subject, wished: Mapping[str, float], seed: int) -> dict[str, Any]:
    row = _row(subject)
    told: dict[str, Any] = {row[name]: value for name, value in wished.items() if name in row}
    # where values stand in an object of their own, the seed does, too
    place, dot, _ = row["temperature"].rpartition(".")
    return told | {f"{place}{dot}seed": seed}


def _told(probe: str, subject: Subject, heard: list[str], lost: list[tuple[str, str]]) -> Result:
    if not lost:
        if not heard:
            return unclear(probe, "the server refused what it was sent")
        return works(probe, f"{' and '.join(heard)} {'are' if heard[1:] else 'is'} heard")
    findings = tuple(_ignored(subject, *each) for each in lost)
    names = tuple(name for name, _ in lost)
    return Result(
        probe=probe,
        verdict="fails",
        said=f"{' and '.join(names)} changed nothing",
        findings=findings,
        learned=Learned(ignored=names),
    )


_COSTS = {
    "min_p": "Values that a model's maker advises do nothing; unlikely tokens stay in.",
    "top_k": "Values that a model's maker advises do nothing; unlikely tokens stay in.",
    "presence_penalty": "What qcode does against endless repetition does nothing there.",
    "repeat_penalty": "What qcode does against endless repetition does nothing there.",
}


def _ignored(subject: Subject, name: str, text: str) -> Finding:
    return Finding(
        id=f"sampling.{name}",
        weight="note",
        title=f"{QUIRKS[subject.facts.kind].name} takes {name} and does nothing with it.",
        cost=_COSTS[name],
        change=changes.sampling(subject.facts, name),
        evidence={"text": excerpt(text)},
    )
