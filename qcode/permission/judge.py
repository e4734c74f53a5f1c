"""Rules on top of a mode: the verdict on a whole call.

A command that is proven to do no more than to read and change files is judged by rules and columns
about files, where no rule speaks of the command itself. If one of these does not allow it, the
column about commands says what becomes of it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from qcode.permission.modes import Fence, Mode, default_answer, unread_answer, why
from qcode.permission.rules import STRICTNESS, Rule, quoted, ruled, uncovered
from qcode.permission.shell import Line, split
from qcode.permission.words import UNKNOWN, Word, names
from qcode.protocol.access import Access, Verdict


class Policy(msgspec.Struct, frozen=True):
    """What a session may do as it stands now."""

    mode: Mode
    fence: Fence
    rules: tuple[Rule, ...] = ()
    asks: Literal["ask", "deny"] = "ask"
    """`deny` = `dontAsk`: each question counts as denied."""


class Reached(msgspec.Struct, frozen=True):
    """What a command line does to files, once links are resolved and file names known."""

    accesses: tuple[Access, ...] = ()
    """Reads and edits that are known."""
    whole: Literal["proven", "unproven"] = "unproven"
    """`proven` = it does nothing else."""
    within: Literal["named", "below"] = "named"
    """`below` = files in folders are read which nobody listed."""


Reach = Mapping[str, Reached]
"""By command line. Of one that is not there only its words are known."""

NO_REACH: Reach = {}


def judge(accesses: Sequence[Access], policy: Policy, reach: Reach = NO_REACH) -> Verdict:
    """The strictest verdict over all that a call would touch. Pure."""
    verdicts = [_one(access, policy, reach) for access in accesses]
    if not verdicts:
        return Verdict("allow", "it touches nothing")
    verdict = max(verdicts, key=lambda each: STRICTNESS[each.answer])
    if verdict.answer == "ask" and policy.asks == "deny":
        return Verdict("deny", f"{verdict.because}, and dontAsk denies every question")
    return verdict


def _one(access: Access, policy: Policy, reach: Reach) -> Verdict:
    """Rules first, then the mode."""
    reached = reach.get(access.target) if access.kind == "shell" else None
    ruling = ruled(access, policy.rules)
    if ruling and ruling.answer == "ask" and access.place == "secret":
        named = any(rule.answer != "deny" and rule.covers(access) for rule in policy.rules)
        ruling = ruling if named else None  # to ask about much opens nothing
    if reached is not None and (strict := _strictest(reached, policy.rules)):
        return max([strict, *([ruling] if ruling else [])], key=lambda one: STRICTNESS[one.answer])
    closed = _closed(access, reached, policy) if ruling and ruling.answer == "allow" else ()
    if ruling and not closed:
        return ruling
    if reached is None:
        answer = default_answer(policy.mode, access, policy.fence)
    elif _harmless(reached, policy):
        return Verdict("allow", said(reached))
    else:
        answer = unread_answer(policy.mode, access, policy.fence)
    because = why(policy.mode, access, answer, policy.fence)
    if access.kind != "shell" or answer == "allow":
        return Verdict(answer, because)
    if closed:
        because += f"; a rule for a command's first words does not open {_listed(closed)}"
    else:
        because += "".join(f"; {more}" for more in _more(access, policy, reached))
    return Verdict(answer, because)


def _closed(access: Access, reached: Reached | None, policy: Policy) -> tuple[str, ...]:
    """Keys that a command would get at by a rule for its first words (`Bash(cat:*)`), which says
    nothing of them, and by no other. Behind a fence they are hidden from it."""
    if reached is None or policy.fence == "holds" or quoted(access, policy.rules):
        return ()
    secrets = (one for one in reached.accesses if one.place == "secret")
    closed = (one.target for one in secrets if _of_file(one, policy).answer != "allow")
    return (*closed, *_unread(split(access.target)))


def _unread(line: Line) -> Iterator[str]:
    """Words that may turn out to be the path of anything: `$HOME/x`, `~+/x`, `~ann/x`."""
    for command in (*line.commands, *line.inner):
        if command.words[0].text not in _SAYS:
            words = (word for word in command.words[1:] if word != UNKNOWN)
            yield from (word.text for word in words if word.kind == "computed" or _is_user(word))


def _is_user(word: Word) -> bool:
    parts = re.split("[=:]", word.text)
    return any(part[:1] == "~" and part[1:2] not in ("", "/") for part in parts)


def _more(access: Access, policy: Policy, reached: Reached | None) -> Iterator[str]:
    """What would have to be otherwise: clauses."""
    if detail := uncovered(split(access.target), policy.rules):
        yield detail
    elif reached is not None and reached.whole == "proven":
        refused = [each for each in reached.accesses if _of_file(each, policy).answer != "allow"]
        if refused:
            yield said(Reached(tuple(refused)))


def _strictest(reached: Reached, rules: Sequence[Rule]) -> Verdict | None:
    """What deny and ask rules say of its files; None = nothing."""
    found = [ruled(access, rules) for access in reached.accesses]
    strict = [one for one in found if one is not None and one.answer != "allow"]
    return max(strict, key=lambda one: STRICTNESS[one.answer], default=None)


def _harmless(reached: Reached, policy: Policy) -> bool:
    """Is all that it does allowed to the tools for files?

    A rule that keeps some files from being read is about more than is listed here.
    """
    if reached.whole == "unproven":
        return False
    kept = any(rule.kind == "read" and rule.answer != "allow" for rule in policy.rules)
    if kept and reached.within == "below":
        return False
    return all(_of_file(access, policy).answer == "allow" for access in reached.accesses)


def _of_file(access: Access, policy: Policy) -> Verdict:
    answer = default_answer(policy.mode, access, policy.fence)
    return ruled(access, policy.rules) or Verdict(answer, "")


def said(reached: Reached) -> str:
    """A clause: `it only reads src/a.py and changes b.py`."""
    by_kind = {
        verb: list(dict.fromkeys(one.target for one in reached.accesses if one.kind == kind))
        for kind, verb in (("read", "reads"), ("edit", "changes"))
    }
    parts = [f"{verb} {_listed(targets)}" for verb, targets in by_kind.items() if targets]
    only = "only " if reached.whole == "proven" else ""
    return f"it {only}{' and '.join(parts)}" if parts else "it touches no file"


def _listed(targets: Sequence[str]) -> str:
    more = f" and {len(targets) - _SHOWN} more" if len(targets) > _SHOWN else ""
    return ", ".join(targets[:_SHOWN]) + more


_SHOWN = 3
_SAYS = names("echo printf")
"""What they are given they say: they open nothing."""
