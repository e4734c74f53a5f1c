"""The flags of the main command that say what the agent may do."""

import argparse

from qcode.cli.parser import sha256

Group = argparse._ArgumentGroup


def add(group: Group) -> None:
    """Declare what the agent may do, and who may say so."""
    group.add_argument(
        "--permission-mode",
        "--approval-mode",
        metavar="MODE",
        help="plan, ask, edit, auto, dontAsk, yolo: see qcode permissions modes",
    )
    group.add_argument(
        "--yolo", "--dangerously-skip-permissions", action="store_true", help=argparse.SUPPRESS
    )
    group.add_argument(
        "--permission-prompt-tool",
        choices=("stdio",),
        help="stdio: with stream-json both ways, whoever drives the run is asked",
    )
    group.add_argument("--sandbox", choices=("auto", "required", "off"), help="off: your own risk")
    group.add_argument(
        "--offline", action="store_true", help="connect to the configured endpoints and no others"
    )
    group.add_argument(
        "--trust", action="store_true", help="what this folder configures counts, this once"
    )
    group.add_argument(
        "--trust-hash", type=sha256, metavar="HASH", help="the same, if it hashes to this"
    )
    group.add_argument(
        "--setting-sources", metavar="LIST", help="without `project` in it, no project configures"
    )
    group.add_argument(
        "--tools", metavar="NAMES", help="the model is offered these alone; '' = none"
    )
    group.add_argument(
        "--allowed-tools",
        "--allowedTools",
        action="append",
        default=[],
        metavar="RULES",
        help="such as 'Bash(pytest:*),Edit(src/**)'; may be given again",
    )
    group.add_argument(
        "--disallowed-tools",
        "--disallowedTools",
        action="append",
        default=[],
        metavar="RULES",
        help="rules that deny; they always win",
    )
