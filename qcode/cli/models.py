"""`qcode models`: what fits on this machine, and which of it to take.

It connects to nothing; what stands below it, `qcode models pull`, does.

Results go to stdout, talk about them to stderr. `--json` is for scripts: fields are only added.
"""

import argparse
import sys
from typing import TYPE_CHECKING

import msgspec

from qcode.cli import models_pull, models_tables
from qcode.cli.parser import parsed, positive
from qcode.protocol.text import escaped, plain
from qcode.serve.advice import advice
from qcode.serve.catalog import catalog
from qcode.serve.fits import fits, impossible, supposed
from qcode.serve.hardware import look

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = """\
What fits on this machine: models, their quantisations, the memory that they
take, how fast they may be, and one recommendation. Counted as if nothing else
ran.

  qcode models                        here
  qcode models --memory 24            on a GPU of 24 GiB, in this machine
  qcode models pull REPO:QUANT        download one
"""


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    return run(parsed("models", add, argv))


def add(parser_group: "Group") -> None:
    """Declare `models` and what stands below it."""
    parser = parser_group.add_parser(
        "models",
        help="which models fit here, and which to take",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--memory", type=positive, metavar="GIB", help="with a GPU of so much")
    parser.add_argument("--json", action="store_true", help="for scripts")
    models_pull.add(parser.add_subparsers(metavar="ACTION"))


def run(arguments: argparse.Namespace) -> int:
    """Do it; returns the exit code. Raises QcodeError."""
    if "pulls" in arguments:
        return models_pull.run(arguments)
    machine, known = look(), catalog()
    if arguments.memory:
        machine = supposed(machine, arguments.memory)
    found = fits(machine, known)
    shown = models_tables.Shown(machine, known, found, impossible(known), advice(found))
    if arguments.json:
        text = msgspec.json.format(msgspec.json.encode(models_tables.report(shown)), indent=2)
        sys.stdout.write(escaped(text.decode()) + "\n")
    else:
        sys.stdout.write(plain(models_tables.text(shown)))
    return 0
