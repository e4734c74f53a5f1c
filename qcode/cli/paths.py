"""`qcode paths`: where configuration, sessions and logs are. Makes none of them."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from qcode.cli.parser import parsed
from qcode.config.paths import Paths, paths
from qcode.protocol.text import legible

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    return run(parsed("paths", add, argv), paths())


def add(parser_group: "Group") -> None:
    """Declare `paths`."""
    parser = parser_group.add_parser("paths", help="where configuration, sessions and logs are")
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace, places: Paths) -> int:
    """Print them; returns the exit code."""
    rows = {
        "config": places.config_file,
        "sessions": places.sessions,
        "state": places.state,
        "log": places.log_file,
    }
    if arguments.json:
        text = json.dumps({name: str(path) for name, path in rows.items()}, indent=2)
    else:
        text = "\n".join(f"{name:<9} {path}" for name, path in rows.items())
    sys.stdout.write(f"{legible(text)}\n")
    return 0
