"""What is said beside the result, on stderr. A stderr that is full or gone stops nothing."""

import os
import sys
import textwrap
from contextlib import suppress
from typing import TextIO

USUAL_COLUMNS = 80
_HELD = "\xa0"
"""A blank at which no line is broken."""


def whole(command: str) -> str:
    """`command` for `talk`: it stays on one line, so that it can be copied."""
    return command.replace(" ", _HELD)


def talk(text: str) -> None:
    """A sentence or two, under our name; on a terminal wrapped between words."""
    said = f"qcode: {text}"
    if columns := columns_of(sys.stderr):
        said = wrapped(said, columns, "  ")
    said = said.replace(_HELD, " ")
    with suppress(OSError, ValueError):  # full, or its reader has left; closed
        sys.stderr.write(f"{said}\n")
        sys.stderr.flush()


def columns_of(out: TextIO) -> int:
    """Width of the terminal; 0 = there is none."""
    if not out.isatty():
        return 0
    with suppress(OSError, ValueError):  # a terminal that does not tell
        return os.get_terminal_size(out.fileno()).columns or USUAL_COLUMNS
    return USUAL_COLUMNS


def wrapped(text: str, columns: int, indent: str) -> str:
    """Lines of less than `columns`; commands and paths stay whole, so that they can be copied, and
    the lines of a log are not run into one."""
    return "\n".join(
        textwrap.fill(
            line,
            max(columns - 1, 20),
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.split("\n")
    )
