"""What the server has read: does it read it again, and whose fault is it."""

from qcode.doctor.base import Finding, Learned, Measure, Result, Subject, Verdict
from qcode.doctor.probes import blame
from qcode.doctor.probes.declared import declared
from qcode.doctor.probes.keeping import Kept, kept, size
from qcode.doctor.probes.looking import TOKENS as PICTURE_TOKENS
from qcode.doctor.probes.looking import looked
from qcode.doctor.probes.raw import KINDS, is_busy
from qcode.doctor.probes.rereading import BLOCK_TOKENS, Reread
from qcode.doctor.probes.template import DROPS
from qcode.doctor.probes.walking import Steps, answer_tokens, tokens, walk
from qcode.server.base import Strategy

QUESTION, BRANCH = "reuse.question", "reuse.branch"
"""Notes: how the step went."""
_WORDS = {"reused": "reused", "reread": "read again", "unclear": "not to be told"}


class Reuse:
    """A turn with a long tool result; a question behind it; the question changed; a call more."""

    name = "reuse"
    label = "sending a conversation four times"

    def absent(self, subject: Subject) -> str:
        """Never: what is not counted is timed."""
        return ""

    def estimate(self, subject: Subject) -> float:
        """As if two of the three were read whole."""
        read = 2 * tokens(subject)
        raw = 3 * size(subject) if subject.facts.kind in KINDS else 0
        shown = PICTURE_TOKENS if subject.facts.vision else 0
        return 1.0 + subject.rates.seconds(read + raw + shown, 4 * answer_tokens(subject))

    async def run(self, subject: Subject) -> Result:
        """The engine alone where it can be asked, then the conversation as the agent sends it."""
        if await is_busy(subject):
            said = "another program is at work there: what is read again may be its doing"
            return Result(probe=self.name, verdict="unclear", said=said)
        engine, block = await _engine(subject)
        steps = await walk(subject, subject.facts.strategy, block=block)
        if _is_odd(steps, engine):  # another program may have come between: once more
            steps = _better(steps, await walk(subject, steps.strategy, " again", block))
        if steps.error:
            return Result(probe=self.name, verdict="unclear", said=steps.error)
        healed = await _healing(subject, steps, engine, block)
        image = await looked(subject) if _shows(subject, steps) else None
        findings = blame.findings(subject.facts, steps, engine, healed)
        if subject.notes.get(DROPS):  # told by the template's own probe
            findings = tuple(each for each in findings if each.id != "reuse.history")
        if image and image.how == "reread":
            findings = (*findings, blame.after_image(subject.facts, image))
        subject.notes |= {QUESTION: steps.question.how, BRANCH: steps.branch.how}
        return Result(
            probe=self.name,
            verdict=_verdict(steps, findings),
            said=_said(steps, engine, image),
            findings=findings,
            measured=_measured(steps, engine, image),
            learned=Learned(strategy=healed.strategy) if healed else Learned(),
        )


async def _engine(subject: Subject) -> tuple[Kept | None, int]:
    """What the engine keeps, where it tells or can be asked; tokens of its blocks, 0 = unknown."""
    if subject.facts.kind in KINDS:
        return await kept(subject), 0
    told = await declared(subject)
    block = told.block_tokens or BLOCK_TOKENS.get(subject.facts.kind, 0)
    return Kept("nothing") if told.is_on is False else None, block


def _is_odd(steps: Steps, engine: Kept | None) -> bool:
    """Whether more is read again than the engine by itself would, and that was seen but once."""
    if engine and engine.keeps != "all":
        return False
    how = [step.how for step in steps.behind]
    return "reread" in how and not (_is_timed(steps) and {*how} == {"reread"})


def _is_timed(steps: Steps) -> bool:
    """Whether the clock told, over three requests behind the first."""
    return steps.cold.cached_tokens is None


def _better(first: Steps, second: Steps) -> Steps:
    """Of two, the one in which less was read again: that much the server can do. Of equals, one
    whose answer ended well: it proves more."""
    steps = [each for each in (second, first) if not each.error] or [second]
    return min(steps, key=lambda it: ([at.how for at in it.behind].count("reread"), it.is_cut))


async def _healing(subject: Subject, steps: Steps, engine: Kept | None, block: int) -> Steps | None:
    """The same with history shaped otherwise, where that may be the cause; None = no better."""
    keeps_nothing = engine is not None and engine.keeps == "nothing"
    if steps.question.how != "reread" or keeps_nothing or steps.is_cut:
        return None
    strategies: tuple[Strategy, ...] = ("native", "fold", "plain")
    for strategy in strategies if not _is_timed(steps) else ("fold",):
        if strategy == steps.strategy:
            continue
        tried = await walk(subject, strategy, block=block)
        if tried.question.how == "reused":
            return tried
    return None


def _shows(subject: Subject, steps: Steps) -> bool:
    """Whether a picture would show more: it is taken, and words alone are reused."""
    return subject.facts.vision is True and steps.question.how == "reused"


def _verdict(steps: Steps, findings: tuple[Finding, ...]) -> Verdict:
    if any(finding.weight != "note" for finding in findings):
        return "fails"
    return "works" if {step.how for step in steps.behind} == {"reused"} else "unclear"


def _said(steps: Steps, engine: Kept | None, image: Reread | None) -> str:
    cold = steps.cold.prompt_tokens or 0
    places = (
        ("a new question", steps.question),
        ("a changed one", steps.branch),
        ("a call and its result", steps.turn),
        ("a picture", image),
    )
    told = ", ".join(
        f"behind {place} {_WORDS[step.how]} ({_figure(step)})" for place, step in places if step
    )
    asked = "; kept because qcode asks for it" if engine and engine.only_asked else ""
    return f"{cold:,} tokens read in {steps.cold.first_seconds or 0:.1f} s; {told}{asked}"


def _figure(step: Reread) -> str:
    counted = "" if step.tokens is None else f"{step.tokens:,} tokens, "
    return f"{counted}{step.seconds:.1f} s"


def _measured(steps: Steps, engine: Kept | None, image: Reread | None) -> dict[str, Measure]:
    return {
        "strategy": steps.strategy,
        "engine_keeps": engine.told if engine else None,
        "cold_tokens": steps.cold.prompt_tokens,
        "cold_seconds": steps.cold.first_seconds,
        "question_reread_tokens": steps.question.tokens,
        "question_seconds": steps.question.seconds,
        "branch_reread_tokens": steps.branch.tokens,
        "branch_seconds": steps.branch.seconds,
        "turn_reread_tokens": steps.turn.tokens if steps.turn else None,
        "turn_seconds": steps.turn.seconds if steps.turn else None,
        "image_reread_tokens": image.tokens if image else None,
        "image_seconds": image.seconds if image else None,
    }
