"""What the server has read: does it read it again, and whose fault is it."""

from qcode.doctor.base import Finding, Learned, Measure, Result, Subject, Verdict
from qcode.doctor.probes import blame
from qcode.doctor.probes.keeping import TOKENS as RAW_TOKENS
from qcode.doctor.probes.keeping import Keeps, kept
from qcode.doctor.probes.raw import KINDS, is_busy
from qcode.doctor.probes.rereading import Reread
from qcode.doctor.probes.template import DROPS
from qcode.doctor.probes.walking import ANSWER_TOKENS, Steps, tokens, walk
from qcode.server.base import Strategy

EXTENDS, QUESTION, BRANCH = "reuse.extends", "reuse.question", "reuse.branch"
"""Notes: how the step went."""


class Reuse:
    """A turn with a long tool result; a question behind it; the question changed."""

    name = "reuse"
    label = "sending a conversation three times"

    def absent(self, subject: Subject) -> str:
        """Never: what is not counted is timed."""
        return ""

    def estimate(self, subject: Subject) -> float:
        """As if two of the three were read whole."""
        read = 2 * tokens(subject)
        raw = 3 * RAW_TOKENS if subject.facts.kind in KINDS else 0
        return 1.0 + subject.rates.seconds(read + raw, 3 * ANSWER_TOKENS)

    async def run(self, subject: Subject) -> Result:
        """The engine alone where it can be asked, then the conversation as the agent sends it."""
        if await is_busy(subject):
            said = "another program is at work there: what is read again may be its doing"
            return Result(probe=self.name, verdict="unclear", said=said)
        engine = await kept(subject) if subject.facts.kind in KINDS else None
        keeps = engine.keeps if engine else None
        steps = await walk(subject, subject.facts.strategy)
        measured = _measured(steps, keeps)
        subject.notes |= {
            EXTENDS: keeps and keeps != "nothing",
            QUESTION: steps.question.how,
            BRANCH: steps.branch.how,
        }
        if steps.error:
            return Result(probe=self.name, verdict="unclear", said=steps.error, measured=measured)
        healed = await _healing(subject, steps, keeps)
        findings = blame.findings(subject.facts, steps, keeps, healed)
        if subject.notes.get(DROPS):  # told by the template's own probe
            findings = tuple(each for each in findings if each.id != "reuse.history")
        return Result(
            probe=self.name,
            verdict=_verdict(steps, findings),
            said=_said(steps),
            findings=findings,
            measured=measured,
            learned=Learned(strategy=healed.strategy) if healed else Learned(),
        )


async def _healing(subject: Subject, steps: Steps, keeps: Keeps | None) -> Steps | None:
    """The same with history shaped otherwise, where that may be the cause; None = no better."""
    if steps.question.how != "reread" or keeps in ("nothing", "when asked"):
        return None
    strategies: tuple[Strategy, ...] = ("native", "fold", "plain")
    for strategy in strategies:
        if strategy == steps.strategy:
            continue
        tried = await walk(subject, strategy)
        if tried.question.how == "reused":
            return tried
    return None


def _verdict(steps: Steps, findings: tuple[Finding, ...]) -> Verdict:
    if any(finding.weight != "note" for finding in findings):
        return "fails"
    return "unclear" if "unclear" in (steps.question.how, steps.branch.how) else "works"


def _said(steps: Steps) -> str:
    words = {"reused": "reused", "reread": "read again", "unclear": "not to be told"}
    cold = steps.cold.prompt_tokens or 0
    return (
        f"{cold:,} tokens read in {steps.cold.first_seconds or 0:.1f} s; behind a new question "
        f"{words[steps.question.how]} ({_figure(steps.question)}), behind a changed one "
        f"{words[steps.branch.how]} ({_figure(steps.branch)})"
    )


def _figure(step: Reread) -> str:
    counted = "" if step.tokens is None else f"{step.tokens:,} tokens, "
    return f"{counted}{step.seconds:.1f} s"


def _measured(steps: Steps, keeps: Keeps | None) -> dict[str, Measure]:
    return {
        "strategy": steps.strategy,
        "engine_keeps": keeps,
        "cold_tokens": steps.cold.prompt_tokens,
        "cold_seconds": steps.cold.first_seconds,
        "question_reread_tokens": steps.question.tokens,
        "question_seconds": steps.question.seconds,
        "branch_reread_tokens": steps.branch.tokens,
        "branch_seconds": steps.branch.seconds,
    }
