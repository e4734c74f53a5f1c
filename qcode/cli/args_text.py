"""Texts for the model that the main command's flags give, themselves or by a file."""

import argparse
from pathlib import Path

from qcode.protocol.errors import InputError, UsageError

Group = argparse._ArgumentGroup


def add(group: Group) -> None:
    """Declare them."""
    group.add_argument("--system-prompt", metavar="TEXT", help="instead of qcode's own")
    group.add_argument("--system-prompt-file", type=Path, metavar="FILE", help="the same, read")
    group.add_argument("--append-system-prompt", metavar="TEXT", help="words at its end")
    group.add_argument(
        "--append-system-prompt-file", type=Path, metavar="FILE", help="the same, read"
    )


def system_prompt(found: argparse.Namespace) -> str | None:
    """Instead of qcode's own; None and empty = none. Raises UsageError and InputError."""
    return _either("--system-prompt", found.system_prompt, found.system_prompt_file)


def appended(found: argparse.Namespace) -> str | None:
    """At its end; None = none. Raises UsageError and InputError."""
    return _either(
        "--append-system-prompt", found.append_system_prompt, found.append_system_prompt_file
    )


def _either(flag: str, text: str | None, file: Path | None) -> str | None:
    """Read here and once: the file may be a pipe of the shell, `<(…)`."""
    if file is None:
        return text
    if text:  # an empty one is what a client says for none
        raise UsageError(f"{flag} and {flag}-file exclude each other.")
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{flag}-file {file} cannot be read ({error}).") from error
