"""The policy of a session: mode, fence and rules, as they stand at each call."""

import os
from collections.abc import Callable, Sequence
from typing import Literal

from qcode.engine.settings import Settings
from qcode.permission.judge import NO_REACH, Policy, Reach, Reached, judge
from qcode.permission.modes import Fence
from qcode.permission.patterns import Ground
from qcode.permission.rules import Rule, granting, parse_rules
from qcode.permission.shapes import TRANSPARENT
from qcode.permission.shell import Line, split
from qcode.permission.suggest import lasting
from qcode.protocol.access import Access, Verdict
from qcode.protocol.errors import ConfigError

SOURCE = "this session"
OUTSIDE = "sandbox.outside"


class Rulebook:
    """Judges calls; grows with each approval that a person gives for more than once."""

    def __init__(
        self,
        settings: Settings,
        fence: Fence,
        rules: Sequence[Rule],
        ground: Ground,
        outside: Sequence[str] = (),
    ) -> None:
        """`outside`: rules of commands that run without the fence where there is one; see
        `where`. Raises ConfigError for one that is not about certain commands."""
        self._settings = settings
        self._given = fence
        self._rules = list(rules)
        self._ground = ground
        self._outside = tuple(_about_commands(one) for one in _parsed(outside, ground))
        self.reached: Callable[[str], Reached] | None = None
        """What a command line does to files; None = nobody looks. See `reach`."""
        self.tripped: Callable[[], str] = lambda: ""
        """Why the fence counts no more; empty = it does. See `standing`."""

    def _fence(self) -> Fence:
        return "none" if self._given == "holds" and self.tripped() else self._given

    def judge(self, accesses: Sequence[Access]) -> Verdict:
        """May it be?"""
        return self._with(accesses, ())

    def where(self, accesses: Sequence[Access]) -> Literal["", "inside", "outside"]:
        """Where the command of a call would run; empty = there is no fence, or no command.

        Outside only if each of its simple commands is covered by the user's settings, and no more
        than a timer stands around it. What cannot be parsed stays inside.
        """
        return self._where(accesses, self._fence())

    def _where(self, accesses: Sequence[Access], fence: Fence) -> Literal["", "inside", "outside"]:
        lines = [split(access.target) for access in accesses if access.kind == "shell"]
        if not lines or fence != "holds":
            return ""
        return "outside" if all(map(self._is_outside, lines)) else "inside"

    def offers(self, accesses: Sequence[Access]) -> tuple[str, ...]:
        """Rules by which the call would pass the next time; empty = there are none, or another
        rule would have it asked about all the same.

        A rule about a folder lets every file below it be read: who was asked whether its names
        may be listed, or its lines searched, is offered none.
        """
        if not all(access.kind != "read" or self._is_file(access) for access in accesses):
            return ()
        texts = lasting(accesses)
        try:
            more = parse_rules(texts, "allow", SOURCE, self._ground)
        except ConfigError:  # a name that no rule can hold
            return ()
        return texts if self._with(accesses, more).answer == "allow" else ()

    def grant(self, texts: Sequence[str]) -> None:
        """These hold for the rest of the session."""
        self._rules += parse_rules(texts, "allow", SOURCE, self._ground)

    def _is_outside(self, line: Line) -> bool:
        opened = {wrapper.words[0].text for wrapper in line.wrappers}
        if line.unclear or not line.commands or not opened <= TRANSPARENT:
            return False
        return all(granting(command, self._outside) for command in line.commands)

    def _is_file(self, access: Access) -> bool:
        return os.path.isfile(os.path.join(self._ground.root, access.target))  # noqa: PTH113, PTH118 - a Path would raise for a name that cannot be

    def _with(self, accesses: Sequence[Access], more: Sequence[Rule]) -> Verdict:
        fence = self._fence()
        if self._where(accesses, fence) == "outside":
            fence = "none"
        policy = Policy(self._settings.mode, fence, (*self._rules, *more))
        return judge(accesses, policy, self._reach(accesses))

    def _reach(self, accesses: Sequence[Access]) -> Reach:
        if self.reached is None:
            return NO_REACH
        lines = [access.target for access in accesses if access.kind == "shell"]
        return {line: self.reached(line) for line in lines}


def _parsed(texts: Sequence[str], ground: Ground) -> tuple[Rule, ...]:
    return parse_rules(texts, "allow", OUTSIDE, ground)


def _about_commands(rule: Rule) -> Rule:
    if rule.kind == "shell" and rule.pattern is not None:
        return rule
    raise ConfigError(
        f"{OUTSIDE}: {rule.text} does not name commands. Write Bash(docker:*); for no sandbox at "
        "all there is --sandbox off."
    )
