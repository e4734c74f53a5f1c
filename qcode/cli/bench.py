"""`qcode bench`: figures of a server, and of what models get done; each in a file of its own."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from qcode.cli import bench_server, bench_tasks
from qcode.cli.parser import parsed
from qcode.headless.signals import ends_before_a_turn

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    arguments = parsed("bench", add, argv)
    ends_before_a_turn()  # a terminal that is closed leaves no agent and no folder behind
    action: Callable[[argparse.Namespace], int] = arguments.do
    return action(arguments)


def add(parser_group: "Group") -> None:
    """Declare `bench` and what stands below it."""
    parser = parser_group.add_parser("bench", help="how fast a server is, what a model gets done")
    below = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    bench_server.add(below)
    bench_tasks.add(below)
