"""Picks what was asked for, imports only that, and turns errors into a sentence and a code."""

import importlib
import os
import sys

from qcode.protocol.errors import QcodeError

SUBCOMMANDS = ("sessions", "config", "permissions", "paths", "demo")
"""Each is a module of this folder with `main(argv) -> int`."""

INTERRUPTED = 130
BROKEN_PIPE = 141


def dispatch(argv: list[str]) -> int:
    """Run a subcommand, or the main command. Never raises what a person can read as a sentence."""
    try:
        return _run(argv)
    except QcodeError as error:
        sys.stderr.write(f"qcode: {error}\n")
        from qcode.headless.exits import of_error  # noqa: PLC0415 - only a failure needs it

        return int(of_error(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output left, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def _run(argv: list[str]) -> int:
    if argv and argv[0] in SUBCOMMANDS:
        # deferred: each subcommand imports its own rooms
        module = importlib.import_module(f"qcode.cli.{argv[0]}")
        return int(module.main(argv[1:]))
    from qcode.cli import args  # noqa: PLC0415 - subcommands have parsers of their own

    options = args.parse(argv)
    if not options.print:
        sys.stderr.write(
            "qcode: the terminal app is not part of this version yet. "
            "Use qcode -p 'your prompt'; qcode --help lists the rest.\n"
        )
        return 2
    from qcode.cli import prompt  # noqa: PLC0415 - `--help` needs only argparse

    return prompt.run(options)
