"""Speculative decoding: how many of the drafted tokens hold, and what it is worth.

Whether it is on is told by an answer's `draft_n` alone: `/props` said `none` while it was (seen in
the field in September 2026).
"""

from typing import Any

import msgspec

from qcode.doctor.base import Finding, Measure, Result, Subject
from qcode.doctor.probes import started
from qcode.doctor.probes.advice import build
from qcode.doctor.probes.raw import KINDS
from qcode.doctor.probes.reuse import BRANCH
from qcode.server.ask import NoAnswer
from qcode.server.base import ServerFacts

_TASK = (
    "Write a Python class for a stack with push, pop, peek and len, and a test for each method. "
    "Code alone."
)
_LEAST_TOKENS, _MOST_TOKENS = 32, 96
_WRITING_SECONDS = 4.0
_LIMIT_SECONDS = 60.0
_ENOUGH = 24
"""Drafted tokens, below which a share says nothing."""
_LOW = 0.4
_METRIC = "vllm:spec_decode_num_{}_tokens_total"


class Drafted(msgspec.Struct, frozen=True):
    """Of one answer, or of all since the start."""

    drafted: int
    accepted: int
    written_per_second: float | None = None

    @property
    def share(self) -> float:
        """Of the drafted tokens, those that held."""
        return self.accepted / self.drafted if self.drafted else 0.0


class Drafts:
    """One answer of code with drafting as it is; where there is any, one without."""

    name = "drafts"
    label = "counting drafted tokens"

    def absent(self, subject: Subject) -> str:
        """Where nobody counts them."""
        return "" if subject.facts.kind in (*KINDS, "vllm") else "the server does not count drafts"

    def estimate(self, subject: Subject) -> float:
        """A hundred tokens, and again."""
        return (
            subject.rates.seconds(60, 2 * _tokens(subject)) if subject.facts.kind in KINDS else 0.5
        )

    async def run(self, subject: Subject) -> Result:
        """What is counted; what it is worth where an answer can go without."""
        try:
            seen = await _seen(subject)
        except NoAnswer as failed:
            return Result(probe=self.name, verdict="unclear", said=f"no answer: {failed}")
        if not seen or not seen.drafted:
            return Result(probe=self.name, verdict="works", said="nothing is drafted")
        without = await _without(subject) if subject.facts.kind in KINDS else None
        findings = _findings(subject, seen, without)
        said = f"{seen.accepted:,} of {seen.drafted:,} drafted tokens held ({seen.share:.0%})"
        return Result(
            probe=self.name,
            verdict="fails" if any(each.weight != "note" for each in findings) else "works",
            said=said,
            findings=findings,
            measured=_measured(seen, without),
        )


async def _seen(subject: Subject) -> Drafted | None:
    if subject.facts.kind in KINDS:
        return await _answered(subject, {})
    counts = [
        (await started.metrics(subject, _METRIC.format(word)))[1] for word in ("draft", "accepted")
    ]
    drafted, accepted = counts
    return Drafted(int(drafted), int(accepted)) if drafted and accepted is not None else None


async def _without(subject: Subject) -> Drafted | None:
    """An answer that drafts nothing; None where the server drafts all the same."""
    try:
        seen = await _answered(subject, {"speculative.n_max": 0})
    except NoAnswer:
        return None
    return seen if not seen.drafted else None


async def _answered(subject: Subject, fields: dict[str, Any]) -> Drafted:
    facts = subject.facts
    body = {
        "model": facts.model,
        "messages": [{"role": "user", "content": f"{subject.salt}\n{_TASK}"}],
        "max_tokens": _tokens(subject),
        "temperature": 0,
        "chat_template_kwargs": {"enable_thinking": False},
        **fields,
    }
    url = f"{facts.base_url}/chat/completions"
    reply = await subject.asker.post(url, body, _LIMIT_SECONDS)
    timings = reply.fields.get("timings")
    if reply.status != 200 or not isinstance(timings, dict):
        raise NoAnswer(f"status {reply.status}")
    return Drafted(
        int(timings.get("draft_n") or 0),
        int(timings.get("draft_n_accepted") or 0),
        timings.get("predicted_per_second"),
    )


def _tokens(subject: Subject) -> int:
    rate = subject.rates.generated_per_second
    fitted = round(rate * _WRITING_SECONDS) if rate else _MOST_TOKENS
    return max(_LEAST_TOKENS, min(fitted, _MOST_TOKENS))


def _findings(subject: Subject, seen: Drafted, without: Drafted | None) -> tuple[Finding, ...]:
    findings = []
    if _is_slower(seen, without):
        assert without is not None
        findings.append(_slower(subject.facts, seen, without))
    elif seen.drafted >= _ENOUGH and seen.share < _LOW:
        findings.append(_low(subject, seen))
    if subject.notes.get(BRANCH) == "reread":
        findings.append(_costs_cache(seen))
    return tuple(findings)


def _is_slower(seen: Drafted, without: Drafted | None) -> bool:
    with_it = seen.written_per_second
    alone = without.written_per_second if without else None
    return bool(with_it and alone and with_it < 0.85 * alone)


def _slower(facts: ServerFacts, seen: Drafted, without: Drafted) -> Finding:
    return Finding(
        id="drafts.slower",
        weight="note",
        title="Answers come slower with drafted tokens than without.",
        cost=f"{seen.written_per_second:.1f} tokens a second against "
        f"{without.written_per_second:.1f}, {seen.share:.0%} of the drafts held.",
        change=f"Start llama-server without a draft (`--spec-type`, `--model-draft`), or with "
        f"{_most(facts)} at 1; measure both with `qcode bench server`.",
        evidence=_measured(seen, without),
        source="measured once each; some backends gain nothing (llama.cpp pull request 22673)",
    )


def _low(subject: Subject, seen: Drafted) -> Finding:
    is_vllm = subject.facts.kind == "vllm"
    flag = (
        "`num_speculative_tokens` of `--speculative-config`" if is_vllm else "`--spec-draft-n-max`"
    )
    return Finding(
        id="drafts.rejected",
        weight="note",
        title=f"Only {seen.share:.0%} of the drafted tokens hold.",
        cost="The rest is computed and thrown away.",
        change=f"Lower {flag} to 1 or 2, or leave drafting off; measure both with "
        "`qcode bench server`.",
        evidence=_measured(seen, None),
        source="measured",
    )


def _most(facts: ServerFacts) -> str:
    """The flag for how many tokens are drafted; it was renamed with `--spec-type`."""
    return "`--draft-max`" if 0 < build(facts) < 9_294 else "`--spec-draft-n-max`"


def _costs_cache(seen: Drafted) -> Finding:
    return Finding(
        id="drafts.cache",
        weight="note",
        title="Drafting is on, and a changed conversation is read again whole.",
        cost="One field report has both for one reason: 16.3 s against 0.4 s for the same change, "
        "and 34 against 14 tokens a second written.",
        change="Try it without `--spec-type`: what is lost in writing may be won in reading.",
        evidence=_measured(seen, None),
        source="a field report of 2026, to be measured: qcode doctor with and without",
    )


def _measured(seen: Drafted, without: Drafted | None) -> dict[str, Measure]:
    return {
        "drafted_tokens": seen.drafted,
        "accepted_tokens": seen.accepted,
        "written_per_second": seen.written_per_second,
        "written_per_second_without": without.written_per_second if without else None,
    }
