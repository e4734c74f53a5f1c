"""What the text before the cursor asks to be completed, and what stands there afterwards. Pure.

`@path`, `@"path with blanks"`, each perhaps with lines behind it: `@src/a.py:10-40`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from qcode.tui.prompt.sending import CommandRow
from qcode.workspace.fuzzy import is_subsequence

_COMMAND = re.compile(r"/([\w-]*)")
_FILE = re.compile(r'(?<!\S)@(?:"([^"\n]*)|([^\s":]*))$')
_NAMED = re.compile(r'(?<!\S)@(?:"([^"\n]+)"(:\d+(?:-\d*)?)?|(\S+))')
_LINES = re.compile(r":(\d+)(-(\d*))?$")
_CLOSING = ".,;:!?)]}'\""


class Asked(msgspec.Struct, frozen=True):
    """A passage that may be completed."""

    kind: Literal["file", "command"]
    start: int
    end: int
    """Characters from the beginning; from `start` on it is replaced."""
    letters: str


class Row(msgspec.Struct, frozen=True):
    """One way to complete it."""

    shown: str
    put: str
    """What takes the place of the passage."""
    marks: tuple[int, ...] = ()
    """The letters in `shown` for which it is offered."""
    note: str = ""
    goes_on: bool = False
    """A folder: what is in it is offered next."""


class Mention(msgspec.Struct, frozen=True):
    """A file or folder that a text names."""

    path: str
    """As it is written; folders may end with a slash."""
    first: int = 0
    """Line, from 1; 0 = all of it."""
    last: int = 0
    """0 = to the end."""


def asked(text: str, cursor: int) -> Asked | None:
    """What is asked at the cursor; None = nothing."""
    before = text[:cursor]
    if found := _COMMAND.fullmatch(before):
        return Asked("command", 0, cursor, found[1])
    if found := _FILE.search(before):
        quoted = found[1] is not None
        return Asked("file", found.start(), cursor, found[1] if quoted else found[2])
    return None


def command_rows(letters: str, commands: Iterable[CommandRow]) -> list[Row]:
    """The one of that name, those that begin with the letters, those with them in their order."""
    small = letters.lower()
    fitting = [row for row in commands if is_subsequence(small, row.name.lower())]
    fitting.sort(key=lambda row: (row.name != small, not row.name.lower().startswith(small)))
    return [
        Row(f"/{row.name} {row.argument_hint}".rstrip(), _put_command(row), (), row.help)
        for row in fitting
    ]


def _put_command(row: CommandRow) -> str:
    return f"/{row.name} " if row.argument_hint else f"/{row.name}"


def file_row(path: str, marks: tuple[int, ...]) -> Row:
    """How a path of the index is offered."""
    folder = path.endswith("/")
    if re.search(r'[\s":]', path):
        put = f'@"{path}' if folder else f'@"{path}" '
    else:
        put = f"@{path}" if folder else f"@{path} "
    return Row(path, put, marks, "", folder)


def mentions(text: str) -> tuple[Mention, ...]:
    """The files that a text names with `@`, in its order, each once. Looks at no file."""
    return tuple(dict.fromkeys(_mentions(text)))


def _mentions(text: str) -> Iterator[Mention]:
    for quoted, lines, bare in _NAMED.findall(text):
        name, where = (quoted, lines) if quoted else _parted(bare.rstrip(_CLOSING))
        if not name:
            continue
        if found := _LINES.fullmatch(where):
            first = int(found[1])
            yield Mention(name, first, int(found[3] or 0) if found[2] else first)
        else:
            yield Mention(name)


def _parted(name: str) -> tuple[str, str]:
    found = _LINES.search(name)
    return (name[: found.start()], found[0]) if found else (name, "")
