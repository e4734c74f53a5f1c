"""The tools of every session, in the one order in which the prompt lists them."""

from collections.abc import Collection
from typing import Literal

from qcode.tools.ask import Ask
from qcode.tools.base import Tool
from qcode.tools.edit import Edit
from qcode.tools.glob import Glob
from qcode.tools.grep import Grep
from qcode.tools.read import Read
from qcode.tools.shell import Shell
from qcode.tools.todo import Todo
from qcode.tools.write import Write

WITHOUT_ASK: tuple[type[Tool], ...] = (Read, Write, Edit, Glob, Grep, Shell, Todo)
"""Where nobody can answer: headless runs."""

BUILTIN: tuple[type[Tool], ...] = (*WITHOUT_ASK, Ask)
"""All of them."""


def usable(known: Collection[str], person: Literal["present", "absent"]) -> tuple[type[Tool], ...]:
    """Those of the session that goes on, by name, so that its prompt stays; for a new one what
    the run can use."""
    if known:
        return tuple(tool for tool in BUILTIN if tool.name in known)
    return BUILTIN if person == "present" else WITHOUT_ASK
