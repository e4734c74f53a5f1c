"""Picks what was asked for, imports only that, and turns errors into a sentence and a code."""

import difflib
import importlib
import os
import sys

from qcode.cli.quick import quick
from qcode.protocol.errors import UsageError

SUBCOMMANDS = (
    *("sessions", "review", "servers", "auth", "config", "permissions", "sandbox"),
    *("audit", "trust", "paths", "bug", "help", "demo", "completion", "doctor", "serve", "bench"),
    "models",
)
"""Each is a module of this folder with `main(argv) -> int`."""

BROKEN_PIPE = 141
TERMINATED = 143


def dispatch(argv: list[str]) -> int:
    """Run a subcommand, or the main command. Never raises what a person can read as a sentence."""
    try:
        return _run(argv)
    except BrokenPipeError:  # the reader of our output left, as `| head` does
        return _abandoned(BROKEN_PIPE)
    except SystemExit as end:
        if end.code != TERMINATED:  # argparse: its help, its usage
            raise
        return _told(end, argv)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - each ends in a sentence
        return _told(error, argv)


def _mistyped(argv: list[str]) -> str:
    """A sentence where the first word is nearly a subcommand; empty = it is not."""
    word = argv[0] if argv and not argv[0].startswith("-") else ""  # a flag is none
    close = difflib.get_close_matches(word, SUBCOMMANDS, 1, 0.75)
    if not close:
        return ""
    return f"There is no subcommand {argv[0]!r}. Did you mean {close[0]}? qcode --help lists them."


def _told(error: BaseException, argv: list[str]) -> int:
    _clear_ruins()
    from qcode.cli import failure  # noqa: PLC0415 - only a failure needs it

    return _abandoned(failure.told(error, argv))


def _clear_ruins() -> None:
    """A signal in the middle of importing asyncio leaves parts of it, on which it cannot be
    imported again."""
    if hasattr(sys.modules.get("asyncio"), "__all__"):
        return
    for name in [it for it in sys.modules if it == "asyncio" or it.startswith("asyncio.")]:
        del sys.modules[name]


def _abandoned(code: int) -> int:
    """What stdout could not take is forgotten: Python would try it again at exit, and complain."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _run(argv: list[str]) -> int:
    if argv and argv[0] in SUBCOMMANDS:
        # deferred: each subcommand imports its own rooms
        module = importlib.import_module(f"qcode.cli.{argv[0]}")
        return int(module.main(argv[1:]))
    from qcode.cli import args  # noqa: PLC0415 - subcommands have parsers of their own

    try:
        options = args.parse(argv)
    except UsageError as error:
        raise UsageError(_mistyped(argv) or str(error)) from error
    if options.print or options.input_format == "stream-json":  # clients leave -p out
        with quick():
            from qcode.cli import once  # noqa: PLC0415 - `--help` needs only argparse

        return once.run(options)
    if mistyped := _mistyped(argv):
        raise UsageError(mistyped)
    if not options.plain and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "No terminal is attached, so the app cannot start. "
            "Use qcode -p 'your prompt'; qcode --help lists the rest."
        )
    from qcode.cli import app  # noqa: PLC0415 - the same

    return app.run(options)
