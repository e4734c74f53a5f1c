"""`qcode audit`: what a session connected to, ran, changed and was allowed. Printing only.

`--json` is for scripts: fields are only added.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import msgspec

from qcode.cli.parser import parsed
from qcode.config.paths import paths
from qcode.protocol.text import one_line
from qcode.serve.pulled import noted
from qcode.session.audit import Kind, Row, audit
from qcode.session.store import Store
from qcode.tui.drawing.visible import visible

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]

_INDENT = " " * 33
_WHERE = {"inside": "inside the sandbox", "outside": "outside of the sandbox", "": ""}


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    return run(parsed("audit", add, argv), Store(paths().sessions))


def add(parser_group: "Group") -> None:
    """Declare `audit`."""
    parser = parser_group.add_parser(
        "audit", help="what a session connected to, ran, changed and was allowed"
    )
    parser.add_argument("session", nargs="?", help="id, part of it, or name; else the latest here")
    parser.add_argument(
        "--kind",
        action="append",
        choices=get_args(Kind),
        metavar="KIND",  # all of them in the usage would be a line that no terminal holds
        help=f"only these, may be given again: {', '.join(get_args(Kind))}",
    )
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.add_argument(
        "--pulls", action="store_true", help="instead: what `qcode models pull` connected to"
    )


def run(arguments: argparse.Namespace, store: Store) -> int:
    """Print it; returns the exit code. Raises SessionError."""
    if arguments.pulls:
        return _print(_pulls(), "", "", arguments)
    here = Path.cwd()
    found = store.find(arguments.session, here) if arguments.session else store.latest(here)
    opened = store.open(found)
    rows = [row for row in audit(opened.entries) if row.kind in (arguments.kind or (row.kind,))]
    return _print(rows, str(found), opened.loss, arguments)


def _pulls() -> list[Row]:
    """They belong to no session."""
    return [
        Row(
            n,
            one.at,
            0,
            "connection",
            f"[{one.host}]:{one.port}" if ":" in one.host else f"{one.host}:{one.port}",
            "deny" if one.because else "allow",
            one.because or f"for {one.model}",
            by="pull",
        )
        for n, one in enumerate(noted(paths().state), 1)
    ]


def _print(rows: Sequence[Row], found: str, loss: str, arguments: argparse.Namespace) -> int:
    if loss:
        sys.stderr.write(f"{visible(loss)}\n")
    if arguments.json:
        told = {"session": found, "loss": loss, "rows": rows}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in lines(rows)))
    return 0


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """Two lines a row: what, whole and with nothing hidden in it; then what became of it."""
    for row in rows:
        first, *more = visible(row.what).replace("\t", "    ").split("\n")
        yield f"{_when(row.at):<19}  {row.kind:<10}  {first}".rstrip()
        yield from (f"{_INDENT}{line}".rstrip() for line in more)
        yield f"{_INDENT}{visible(one_line(_became(row), 2000))}"


def _became(row: Row) -> str:
    told = [row.outcome, f"for the {row.scope}" if row.scope else "", _WHERE[row.where]]
    told += [f"by {row.by}" if row.by else "", f"({row.because})" if row.because else ""]
    told += [_among(row.commands)]
    words = " ".join(filter(None, told))
    return f"{words}, from then on: {', '.join(row.rules)}" if row.rules else words


def _among(commands: Sequence[str]) -> str:
    """Which commands ran then, each as it stands in a row of its own."""
    if not commands:
        return ""
    rows = (visible(one.strip()).replace("\n", " ⏎ ") for one in commands)
    quoted = ", ".join(f"`{one_line(one)}`" for one in rows)
    return f"for {quoted}" if len(commands) == 1 else f"for one of {quoted}"


def _when(at: str) -> str:
    """In local time, to the second; as it is if it is no moment."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return one_line(at, 19)
