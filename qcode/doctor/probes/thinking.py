"""Thinking: does it go off, and does it come in a field of its own."""

from msgspec.structs import replace

from qcode.doctor.base import Finding, Learned, Result, Subject
from qcode.doctor.probes import changes
from qcode.doctor.probes.asking import (
    QUIET,
    SEPARATE,
    THINKS,
    cost,
    cost_thoughtful,
    excerpt,
    fails,
    has,
    is_quiet,
    may_think,
    question,
    settled,
    thinking_room,
    thoughtful,
    word,
    works,
)
from qcode.server import tokens
from qcode.server.families import family
from qcode.server.quirks import QUIRKS
from qcode.server.sounding import Sounding

NEVER = "the model does not think"
"""Why a probe is absent."""
_UNASKED = "the model answered without thinking"
_SHORT = 60
"""Characters: an answer of one word is no thought."""


class SwitchProbe:
    """Does thinking go off when it is switched off."""

    name = "thinking off"
    label = "an answer without thinking"

    def absent(self, subject: Subject) -> str:
        """Not where there is nothing to switch."""
        if not may_think(subject):
            return NEVER
        model = family(subject.facts.model)
        if model.thinks in ("always", "levels"):
            return f"{model.name} always thinks"
        row = QUIRKS[subject.facts.kind]
        return "" if is_quiet(subject) else f"{row.name} takes no word for it"

    def estimate(self, subject: Subject) -> float:
        """One short answer."""
        return cost(subject, 1)

    async def run(self, subject: Subject) -> Result:
        """A question that needs no thought."""
        kept = word(subject, 20)
        asks = (
            f"Repeat this word and write nothing else: {kept}",
            f"Which word stands in these brackets? [{kept}] Answer with that word alone.",
        )
        room = thinking_room(subject)
        requests = [replace(question(subject, words), max_tokens=room) for words in asks]

        def judge(seen: Sounding) -> Result | str:
            return _off(subject, seen, kept)

        result = await settled(self.name, subject, requests, judge)
        if result.verdict != "unclear":
            subject.notes[QUIET] = result.learned.switch_works is not False
        return result


def _off(subject: Subject, seen: Sounding, kept: str) -> Result | str:
    """What was filed as thinking and is the answer itself is told by its length: the reader has
    put it in its place then."""
    name = SwitchProbe.name
    if not has(seen.text + seen.reasoning, kept):
        return "the model did not say the word that it was told to say"
    if not seen.reasoning and "reasoning" not in seen.repairs:
        known = family(subject.facts.model).thinks == "switch"
        return works(name, "an answer comes without thinking", Learned(switch_works=known or None))
    if not seen.reasoning and len(seen.text.strip()) <= _SHORT and seen.finish == "stop":
        return fails(name, _misfiled(subject), Learned(switch_works=True))
    finding = _still_on(subject, seen)
    return fails(name, finding, Learned(switch_works=False))


def _still_on(subject: Subject, seen: Sounding) -> Finding:
    thought = seen.reasoning or seen.text
    return Finding(
        id="thinking.switch",
        weight="slow",
        title="Thinking was switched off, and the model thought.",
        cost=f"{tokens.about(thought):,.0f} tokens and {seen.seconds:.1f} s for an answer of one "
        "word; summaries and retries cost as much each time.",
        change=changes.switch(subject.facts),
        evidence={"thinking": excerpt(thought), "seconds": round(seen.seconds, 2)},
    )


def _misfiled(subject: Subject) -> Finding:
    return Finding(
        id="thinking.misfiled",
        weight="note",
        title="With thinking off the answer is filed as thinking, or keeps a mark of it.",
        cost="Other clients show an empty answer; qcode puts it in its place.",
        change="Update vLLM to 0.19 or newer (its PR 35982)."
        if subject.facts.kind == "vllm"
        else f"Update {QUIRKS[subject.facts.kind].name}.",
        source="vLLM PR 35982",
    )


class SeparateProbe:
    """Does thinking come apart from the answer."""

    name = "thinking"
    label = "an answer behind thinking"

    def absent(self, subject: Subject) -> str:
        """Not for models that never think."""
        return "" if may_think(subject) else NEVER

    def estimate(self, subject: Subject) -> float:
        """A thought."""
        return cost_thoughtful(subject, 1)

    async def run(self, subject: Subject) -> Result:
        """A question that asks for a little thought."""
        kept = word(subject, 21)
        asks = (
            f"Think about how many vowels the word {kept} has. Answer with the word and the "
            "number.",
            f"Spell {kept} backwards in your thoughts, then answer with the word as it was.",
        )
        requests = [thoughtful(subject, words) for words in asks]

        def judge(seen: Sounding) -> Result | str:
            return _on(subject, seen, kept)

        result = await settled(self.name, subject, requests, judge)
        if result.verdict != "unclear":
            subject.notes[THINKS] = True
            subject.notes[SEPARATE] = result.verdict == "works"
        elif result.said == _UNASKED and family(subject.facts.model).thinks == "unknown":
            subject.notes[THINKS] = False
        return result


def _on(subject: Subject, seen: Sounding, kept: str) -> Result | str:
    name = SeparateProbe.name
    if not has(seen.text + seen.reasoning, kept):
        return "the model did not keep to the question"
    if not seen.reasoning:
        return _UNASKED
    if "reasoning" in seen.repairs:
        return fails(name, _in_text(subject, seen))
    thought = round(tokens.about(seen.reasoning))
    return works(name, f"thinking comes in a field of its own, {thought} tokens of it")


def _in_text(subject: Subject, seen: Sounding) -> Finding:
    return Finding(
        id="thinking.parser",
        weight="note",
        title="Thinking comes within the text of the answer, in <think> marks.",
        cost="qcode tells them apart by the marks; other clients show the thinking, calls behind "
        "it get lost, and no budget of the server holds.",
        change=changes.reasoning_parser(subject.facts),
        evidence={"thinking": excerpt(seen.reasoning)},
    )
