"""Why a command would be allowed, asked or denied: for `qcode permissions test`."""

from collections.abc import Sequence

import msgspec

from qcode.permission.judge import Policy, judge
from qcode.permission.patterns import CommandPattern
from qcode.permission.readonly import is_read_only
from qcode.permission.rules import STRICTNESS, Rule, granting
from qcode.permission.shell import Line, Simple, split
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


class Explanation(msgspec.Struct, frozen=True):
    """The verdict on a line, and what it is made of."""

    answer: Answer
    because: str
    commands: tuple[Part, ...]
    wrappers: tuple[str, ...]
    """Commands that were opened: what they run is among `commands`."""
    unclear: tuple[str, ...]
    """Why no prefix rule can allow it; empty = it was understood."""


def explain(text: str, policy: Policy) -> Explanation:
    """The verdict on the command line `text`. Pure."""
    verdict = judge([Access("shell", text)], policy)
    line = split(text)
    return Explanation(
        verdict.answer,
        verdict.because,
        tuple(_part(command, policy.rules) for command in line.commands),
        tuple(map(str, line.wrappers)),
        line.unclear,
    )


def _part(command: Simple, rules: Sequence[Rule]) -> Part:
    alone = Line(str(command), (command,))
    rule = _speaking(command, alone, rules)
    read_only = is_read_only(alone)
    if rule is None:
        return Part(str(command), None, reads_only=read_only)
    return Part(str(command), rule.answer, rule.text, rule.source, read_only)


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
