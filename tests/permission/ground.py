"""Short ways to write rules and accesses."""

from qcode.permission.patterns import Ground
from qcode.permission.rules import Rule, parse_rule
from qcode.protocol.access import Access, Answer

GROUND = Ground("/home/ann/project", "/home/ann")


def rule(answer: Answer, text: str, source: str = "user config") -> Rule:
    """A rule of a workspace at `/home/ann/project`."""
    return parse_rule(text, answer, source, GROUND)


def shell(line: str) -> Access:
    """An access by a command line."""
    return Access("shell", line)
