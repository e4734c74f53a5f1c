"""How file tools show lines and paths to the model, and in what words they fail."""

from collections.abc import Iterable, Sequence

from qcode.protocol.text import well_formed
from qcode.workspace.files import Located, Workspace
from qcode.workspace.search import nearest

LINE_CHARACTERS = 2000
"""A longer line is cut: one line of a minified file can fill a context."""


def cut(line: str, width: int = LINE_CHARACTERS) -> str:
    """The line, or its beginning and how long it is."""
    return line if len(line) <= width else f"{line[:width]}… [cut, {len(line):,} characters]"


def numbered(lines: Iterable[str], first: int) -> str:
    """Rows of number, tab and line; carriage returns at line ends are left out."""
    rows = (cut(line.removesuffix("\r")) for line in lines)
    return "\n".join(f"{number:>5}\t{row}" for number, row in enumerate(rows, first))


def around(lines: Sequence[str], first: int, last: int, most: int = 40) -> str:
    """The lines from `first` to `last` (from 1), at most so many, numbered."""
    text = numbered(lines[first - 1 : min(last, first + most - 1)], first)
    return text if last < first + most else f"{text}\n[lines {first + most}-{last} left out]"


def missing(workspace: Workspace, located: Located) -> str:
    """That there is no such file, and which are meant perhaps."""
    near = nearest(workspace.bounds, located.path) if located.place != "outside" else []
    hint = f" Did you mean {' or '.join(near)}?" if near else " glob finds files by name."
    return f"{located.shown} does not exist.{hint}"


def shown_path(workspace: Workspace, path: str) -> str:
    """An absolute path as `Located.shown` has it."""
    base = f"{str(workspace.root).rstrip('/')}/"
    return well_formed(path.removeprefix(base))


def span(first: int, last: int) -> str:
    """`line 3` or `lines 3-5`."""
    return f"line {first}" if first >= last else f"lines {first}-{last}"


def count(number: int, thing: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
