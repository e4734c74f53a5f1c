"""The tools of every session, in the one order in which the prompt lists them."""

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
