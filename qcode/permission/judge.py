"""Rules on top of a mode: the verdict on a whole call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from qcode.permission.modes import Fence, Mode, default_answer, why
from qcode.permission.rules import STRICTNESS, Rule, ruled, uncovered
from qcode.permission.shell import split
from qcode.protocol.access import Access, Verdict


@dataclass(frozen=True, slots=True)
class Policy:
    """What a session may do as it stands now."""

    mode: Mode
    fence: Fence
    rules: tuple[Rule, ...] = ()
    asks: Literal["ask", "deny"] = "ask"
    """`deny` = `dontAsk`: each question counts as denied."""


def judge(accesses: Sequence[Access], policy: Policy) -> Verdict:
    """The strictest verdict over all that a call would touch. Pure."""
    verdicts = [_one(access, policy) for access in accesses]
    if not verdicts:
        return Verdict("allow", "it touches nothing")
    verdict = max(verdicts, key=lambda each: STRICTNESS[each.answer])
    if verdict.answer == "ask" and policy.asks == "deny":
        return Verdict("deny", f"{verdict.because}, and dontAsk denies every question")
    return verdict


def _one(access: Access, policy: Policy) -> Verdict:
    """Rules first, then the mode."""
    if verdict := ruled(access, policy.rules):
        return verdict
    answer = default_answer(policy.mode, access, policy.fence)
    because = why(policy.mode, access, answer, policy.fence)
    if access.kind == "shell" and answer != "allow":
        detail = uncovered(split(access.target), policy.rules)
        because += f"; {detail}" if detail else ""
    return Verdict(answer, because)
