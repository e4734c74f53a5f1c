"""`qcode help`: a page about one thing, and the manual page."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qcode import __version__
from qcode.cli.dispatch import SUBCOMMANDS
from qcode.cli.pages import TOPICS, page
from qcode.cli.parser import parsed

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    arguments = parsed("help", add, argv)
    if arguments.man:
        sys.stdout.write(manual())
        return 0
    if not arguments.topic:
        rows = "\n".join(f"  qcode help {name}" for name in TOPICS)
        sys.stdout.write(
            f"qcode --help has the flags; qcode SUBCOMMAND --help theirs. Pages:\n{rows}\n"
        )
        return 0
    if arguments.topic in SUBCOMMANDS and arguments.topic not in TOPICS:
        # deferred: each subcommand imports its own rooms
        return int(importlib.import_module(f"qcode.cli.{arguments.topic}").main(["--help"]))
    sys.stdout.write(page(arguments.topic))
    return 0


def add(parser_group: "Group") -> None:
    """Declare `help`."""
    parser = parser_group.add_parser("help", help="a page about one thing; --man: the manual")
    parser.add_argument("topic", nargs="?", default="", help=", ".join(TOPICS))
    parser.add_argument("--man", action="store_true", help="the manual page: man -l <(…)")


def manual() -> str:
    """The manual page, in roff: the flags as `--help` says them, then the pages."""
    from qcode.cli.args import parser  # noqa: PLC0415 - only the manual needs all flags
    from qcode.cli.completion import levels  # noqa: PLC0415 - and those of all subcommands

    rows = [
        f'.TH QCODE 1 "" "qcode {__version__}" "User Commands"',
        ".SH NAME",
        "qcode \\- a terminal coding agent for models that run on your own machine",
        ".SH SYNOPSIS",
        ".B qcode",
        "[\\fIflags\\fR] [\\fIprompt\\fR]",
        ".br",
        ".B qcode",
        "\\fIsubcommand\\fR",
    ]
    for group in parser()._action_groups:
        shown = [one for one in group._group_actions if one.help != argparse.SUPPRESS]
        flags = [one for one in shown if one.option_strings]
        if flags:
            rows += [f".SH {_safe((group.title or 'flags').upper())}", *map(_flag, flags)]
    rows += [".SH SUBCOMMANDS AND EXIT CODES", ".nf", _safe(parser().epilog or ""), ".fi"]
    rows.append(".SH FLAGS OF SUBCOMMANDS")
    for level in levels():
        if level.path and level.flags:
            rows.append(f".SS qcode {_safe(' '.join(level.path))}")
            rows += [_row(flag.offered, "", flag.help) for flag in level.flags]
    for topic in TOPICS:
        rows += [f".SH {_safe(topic.upper().replace('-', ' '))}", ".nf", _safe(page(topic)), ".fi"]
    return "\n".join(rows) + "\n"


def _flag(action: argparse.Action) -> str:
    value = f" \\fI{_safe(str(action.metavar or ''))}\\fR" if action.metavar else ""
    if action.choices:
        value = f" \\fI{_safe('|'.join(map(str, action.choices)))}\\fR"
    return _row(action.option_strings, value, action.help or "")


def _row(names: Sequence[str], value: str, told: str) -> str:
    shown = ", ".join(f"\\fB{_safe(name)}\\fR{value}" for name in names)
    return f".TP\n{shown}\n{_safe(told.replace('%%', '%'))}"


def _safe(text: str) -> str:
    """Nothing of it is a command of roff."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    escaped = "".join(sign if sign.isascii() else f"\\[u{ord(sign):04X}]" for sign in escaped)
    return "\n".join(f"\\&{row}" if row[:1] in (".", "'") else row for row in escaped.splitlines())
