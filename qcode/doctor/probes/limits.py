"""`max_tokens`: does an answer end there, and does it say that it was cut."""

import re

from msgspec.structs import replace

from qcode.doctor.base import Finding, Result, Subject
from qcode.doctor.probes import changes
from qcode.doctor.probes.asking import (
    THINKS,
    cost,
    excerpt,
    fails,
    is_quiet,
    question,
    settled,
    thoughtful,
    unclear,
    word,
    works,
)
from qcode.server import tokens
from qcode.server.quirks import QUIRKS
from qcode.server.sounding import Sounding

_SAID = "limits.said"
"""A note: whether an answer that was cut says so. Absent = not seen."""
_LIMIT = 16
_SLACK = 8
"""Tokens of the format, which some servers count and some do not."""
_CUT_THOUGHT = 40
_COUNTING = re.compile(r"1\D+2\D+3\b")
_NUMBERS = re.compile(r"[\d\s,.]+")


class LimitProbe:
    """Does an answer end at its limit, and say so."""

    name = "max_tokens"
    label = "an answer of 16 tokens"

    def absent(self, subject: Subject) -> str:
        """Where thinking does not go off, 16 tokens show nothing of an answer."""
        return "" if is_quiet(subject) else "thinking does not go off there"

    def estimate(self, subject: Subject) -> float:
        """Sixteen tokens; where they are not heard, a list."""
        return cost(subject, 1, 40)

    async def run(self, subject: Subject) -> Result:
        """A list that is longer."""
        asks = (
            "Count from 1 to 100, one number a line. Write nothing else.",
            "Write the numbers 1, 2, 3 and so on up to 90, with commas between them, at once and "
            "without any other word.",
        )
        requests = [replace(question(subject, words), max_tokens=_LIMIT) for words in asks]

        def judge(seen: Sounding) -> Result | str:
            return _ended(subject, seen)

        result = await settled(self.name, subject, requests, judge)
        if result.verdict != "unclear":
            subject.notes[_SAID] = result.verdict == "works"
        return result


def _ended(subject: Subject, seen: Sounding) -> Result | str:
    name = LimitProbe.name
    size = seen.generated_tokens or round(tokens.about(seen.text))
    numbers = len(re.findall(r"\d+", seen.text))
    if not _COUNTING.search(seen.text):
        return "the model did not count"
    if numbers > _LIMIT + _SLACK:  # a number is a token at least
        return fails(name, _overrun(subject, seen, numbers))
    if seen.finish == "length":
        return works(name, "an answer ends at its limit", generated_tokens=size)
    if seen.finish == "stop" and _NUMBERS.fullmatch(seen.text) and _LIMIT - 2 <= size <= _LIMIT:
        return fails(name, _unsaid(subject, seen.text))
    return "the model stopped by itself"


def _overrun(subject: Subject, seen: Sounding, numbers: int) -> Finding:
    return Finding(
        id="limits.max_tokens",
        weight="broken",
        title=f"max_tokens is not honoured: {numbers} numbers came where {_LIMIT} tokens were "
        "allowed.",
        cost="An answer that runs away is bounded by the context alone.",
        change=changes.limit(subject.facts),
        evidence={"max_tokens": _LIMIT, "generated_tokens": seen.generated_tokens},
    )


def _unsaid(subject: Subject, text: str) -> Finding:
    return Finding(
        id="limits.finish",
        weight="broken",
        title="An answer that was cut at its limit is said to have ended.",
        cost="qcode takes half an answer, or half a file, for a whole one.",
        change=f"Update {QUIRKS[subject.facts.kind].name}: its finish_reason must be length.",
        evidence={"answer": excerpt(text)},
    )


class EmptyProbe:
    """Is it said that an answer stayed empty because its thinking was cut."""

    name = "cut thinking"
    label = "a thought that is cut"

    def absent(self, subject: Subject) -> str:
        """Only where the model was seen to think."""
        if subject.notes.get(_SAID) is False:
            return "limits do not hold there"
        return "" if subject.notes.get(THINKS) else "the model was not seen to think"

    def estimate(self, subject: Subject) -> float:
        """Forty tokens."""
        return subject.rates.seconds(120, _CUT_THOUGHT)

    async def run(self, subject: Subject) -> Result:
        """A thought that is longer."""
        kept = word(subject, 40)
        request = thoughtful(
            subject,
            f"Think at length about every letter of {kept}, its place in the alphabet, and the "
            "sum of these places. Then answer with the sum.",
        )
        seen = await subject.ask(replace(request, max_tokens=_CUT_THOUGHT))
        if seen.error or seen.text.strip() or not seen.reasoning:
            return unclear(self.name, seen.error or "the model was done before it was cut")
        if seen.finish == "length":
            return works(self.name, "a thought that is cut says so")
        if (seen.generated_tokens or 0) < _CUT_THOUGHT - 2:
            return unclear(self.name, "the model stopped within its thinking")
        return fails(self.name, _unsaid(subject, seen.reasoning))
