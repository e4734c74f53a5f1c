"""The thinking budget: does the server stop the thinking where it was told to."""

from msgspec.structs import replace

from qcode.doctor.base import Finding, Learned, Result, Subject
from qcode.doctor.probes import changes
from qcode.doctor.probes.asking import (
    SEPARATE,
    cost,
    fails,
    may_think,
    thoughtful,
    unclear,
    works,
)
from qcode.doctor.probes.thinking import NEVER
from qcode.server import tokens
from qcode.server.base import Request
from qcode.server.fields import limits
from qcode.server.quirks import of

_BUDGET = 96
_HELD = 160
"""Tokens at most where it holds: a server may end its sentence, and add words of its own."""
_BROKEN = 210
_BUDGET_ROOM = 420


class BudgetProbe:
    """Does the server stop the thinking at its budget."""

    name = "thinking budget"
    label = "a thought with a budget"

    def absent(self, subject: Subject) -> str:
        """Only where the server is told a budget."""
        if not may_think(subject):
            return NEVER
        if subject.notes.get(SEPARATE) is False:
            return "thinking does not come apart from the answer"
        row = of(subject.facts.kind, subject.facts.version)
        if not limits(subject.facts, Request("", [], [], thinking_budget=_BUDGET)):
            return f"{row.name} is told none: qcode counts"
        return ""

    def estimate(self, subject: Subject) -> float:
        """What is left of a thought, and an answer."""
        return cost(subject, 1, _BUDGET_ROOM)

    async def run(self, subject: Subject) -> Result:
        """A puzzle that takes longer than the budget."""
        limit = 200 + sum(map(ord, subject.salt)) % 90
        asks = (
            f"List every prime number below {limit} whose digits add up to an even number. Check "
            "each number one by one, in detail.",
            f"Add up all whole numbers from 1 to {limit} that hold the digit 7, one step after "
            "another, in detail.",
        )
        why = ""
        for words in asks:
            request = replace(
                thoughtful(subject, words), thinking_budget=_BUDGET, max_tokens=_BUDGET_ROOM
            )
            seen = await subject.ask(request)
            facts = await subject.server.known() or subject.facts
            if not limits(facts, request):
                return fails(self.name, _refused(subject), Learned(budget_holds=False))
            found = seen.error or _held(subject, await _counted(subject, seen.reasoning))
            if isinstance(found, Result):
                return found
            why = found
        return unclear(self.name, why)


async def _counted(subject: Subject, text: str) -> int:
    """By the server's own count, where it counts."""
    told = await subject.server.count(text) if text else 0
    return round(tokens.about(text)) if told is None else told


def _held(subject: Subject, thought: int) -> Result | str:
    name = BudgetProbe.name
    if thought >= _BROKEN:
        return fails(name, _overrun(subject, thought), Learned(budget_holds=False))
    if thought < 0.7 * _BUDGET:
        return f"the thought was over after {thought} tokens, before its budget of {_BUDGET}"
    if thought > _HELD:
        return f"the thought had {thought} tokens, with a budget of {_BUDGET}"
    beyond = ": its sentence was let end" if thought > 1.1 * _BUDGET else ""
    said = f"thinking stopped after {thought} tokens, told to at {_BUDGET}{beyond}"
    return works(name, said, Learned(budget_holds=True), thought_tokens=thought)


def _overrun(subject: Subject, thought: int) -> Finding:
    return Finding(
        id="budget.ignored",
        weight="note",
        title=f"A thinking budget of {_BUDGET} tokens did not hold: {thought} and more came.",
        cost="qcode keeps the budget itself from now on: it ends the request and asks again, "
        "which costs one more request each time.",
        change=changes.budget(subject.facts),
        evidence={"budget_tokens": _BUDGET, "thought_tokens": thought},
    )


def _refused(subject: Subject) -> Finding:
    return Finding(
        id="budget.refused",
        weight="note",
        title="The server refuses a thinking budget.",
        cost="qcode keeps the budget itself: it ends the request and asks again, which costs "
        "one more request each time.",
        change=changes.budget(subject.facts),
    )
