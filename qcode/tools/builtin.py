"""The tools of every session, in the one order in which the prompt lists them."""

from collections.abc import Collection
from typing import Literal

from qcode.tools.ask import Ask
from qcode.tools.base import Tool
from qcode.tools.edit import Edit
from qcode.tools.fetch import Fetch
from qcode.tools.glob import Glob
from qcode.tools.grep import Grep
from qcode.tools.read import Read
from qcode.tools.shell import Shell
from qcode.tools.todo import Todo
from qcode.tools.write import Write

WITHOUT_ASK: tuple[type[Tool], ...] = (Read, Write, Edit, Glob, Grep, Shell, Todo)
"""Where nobody can answer: headless runs."""

BUILTIN: tuple[type[Tool], ...] = (*WITHOUT_ASK, Ask, Fetch)
"""All of them."""

Web = Literal["ruled", "unruled", "closed"]
"""Of hosts: a rule allows some; none does, so that each is asked about; none is ever reached."""


def usable(
    known: Collection[str], person: Literal["present", "absent"], web: Web = "unruled"
) -> tuple[type[Tool], ...]:
    """Those of the session that goes on, by name, so that its prompt stays; for a new one what
    the run can use: `fetch` only where a host may be allowed, by a rule or by somebody."""
    if known:
        found = tuple(tool for tool in BUILTIN if tool.name in known)
    elif person == "present":
        found = BUILTIN
    else:
        found = (*WITHOUT_ASK, Fetch) if web == "ruled" else WITHOUT_ASK
    return tuple(tool for tool in found if tool is not Fetch) if web == "closed" else found
