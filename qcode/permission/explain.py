"""Why a command would be allowed, asked or denied: for `qcode permissions test`."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from qcode.permission.judge import NO_REACH, Policy, Reach, judge
from qcode.permission.modes import Fence, Mode
from qcode.permission.patterns import CommandPattern
from qcode.permission.readonly import is_read_only
from qcode.permission.rules import STRICTNESS, Rule, granting
from qcode.permission.shell import Line, Simple, split
from qcode.permission.touching import touched_by
from qcode.protocol.access import Access, Answer


class Part(msgspec.Struct, frozen=True):
    """One simple command of a line."""

    command: str
    answer: Answer | None
    """What the rules say of it; None = nothing."""
    rule: str = ""
    """`Bash(git status:*)`."""
    source: str = ""
    """Where the rule stands."""
    reads_only: bool = False
    """It is on the list of read-only commands."""
    reads: tuple[str, ...] = ()
    """Paths, as far as its words tell; as written, from where it runs."""
    edits: tuple[str, ...] = ()
    told: bool = False
    """It is known to do nothing else."""


class Explanation(msgspec.Struct, frozen=True):
    """The verdict on a line, and what it is made of."""

    answer: Answer
    because: str
    commands: tuple[Part, ...]
    wrappers: tuple[str, ...]
    """Commands that were opened: what they run is among `commands`."""
    unclear: tuple[str, ...]
    """Why no prefix rule can allow it; empty = it was understood."""
    mode: Mode
    fence: Fence
    files: tuple[Access, ...] = ()
    """What the whole line does to files, links resolved."""
    proven: bool = False
    """It does nothing else: the table's columns about files hold."""


def explain(text: str, policy: Policy, reach: Reach = NO_REACH) -> Explanation:
    """The verdict on the command line `text`. Pure."""
    verdict = judge([Access("shell", text)], policy, reach)
    line, reached = split(text), reach.get(text)
    return Explanation(
        verdict.answer,
        verdict.because,
        tuple(_part(command, policy.rules) for command in line.commands),
        tuple(map(str, line.wrappers)),
        line.unclear,
        policy.mode,
        policy.fence,
        reached.accesses if reached else (),
        reached is not None and reached.whole == "proven",
    )


def _part(command: Simple, rules: Sequence[Rule]) -> Part:
    alone = Line(str(command), (command,))
    rule = _speaking(command, alone, rules)
    read_only = is_read_only(alone)
    found = touched_by(command)
    by_kind = {
        kind: tuple(touch.path for touch in found.touches if touch.kind == kind)
        for kind in ("read", "edit")
    }
    onto = tuple(touch.onto for touch in found.touches if touch.onto)
    edits = tuple(dict.fromkeys((*by_kind["edit"], *onto)))
    part = Part(str(command), None, "", "", read_only, by_kind["read"], edits, found.whole)
    if rule is None:
        return part
    return replace(part, answer=rule.answer, rule=rule.text, source=rule.source)


def _speaking(command: Simple, alone: Line, rules: Sequence[Rule]) -> Rule | None:
    """The rule that decides about one command."""
    shell = [rule for rule in rules if rule.kind == "shell"]
    strict = [rule for rule in shell if rule.answer != "allow" and _touches(rule, alone)]
    if strict:
        return max(strict, key=lambda rule: STRICTNESS[rule.answer])
    whole = (rule for rule in shell if rule.answer == "allow" and rule.pattern is None)
    return next(whole, None) or granting(command, shell)


def _touches(rule: Rule, alone: Line) -> bool:
    return not isinstance(rule.pattern, CommandPattern) or rule.pattern.touches(alone)
