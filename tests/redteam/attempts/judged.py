"""Command lines, paths and hosts before the judge: does one pass without a question?"""

from dataclasses import dataclass
from pathlib import Path

from qcode.permission.judge import Policy, judge
from qcode.permission.modes import Fence, Mode
from qcode.permission.patterns import Ground
from qcode.permission.rules import Rule, parse_rule
from qcode.protocol.access import Access, AccessKind, Place

GROUND = Ground("/home/ann/project", "/home/ann")


def rules(texts: tuple[str, ...], ground: Ground = GROUND) -> tuple[Rule, ...]:
    """Each is allowed, those with `deny ` before them denied."""
    return tuple(
        parse_rule(
            text.removeprefix("deny "),
            "deny" if text.startswith("deny ") else "allow",
            "user config",
            ground,
        )
        for text in texts
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A command line; succeeds when it would run without a question."""

    line: str
    rules: tuple[str, ...] = ()
    mode: Mode = "ask"
    fence: Fence = "none"

    def succeeds(self, tmp: Path) -> bool:
        policy = Policy(self.mode, self.fence, rules(self.rules))
        return judge([Access("shell", self.line)], policy).answer == "allow"


@dataclass(frozen=True, slots=True)
class Touch:
    """An access to a path as it was resolved, or to a host."""

    kind: AccessKind
    target: str
    rules: tuple[str, ...] = ()
    mode: Mode = "auto"
    place: Place = "workspace"
    fence: Fence = "holds"

    def succeeds(self, tmp: Path) -> bool:
        policy = Policy(self.mode, self.fence, rules(self.rules))
        access = Access(self.kind, self.target, self.place)
        return judge([access], policy).answer == "allow"
