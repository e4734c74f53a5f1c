"""Entry point. `--version` answers from here and imports nothing beyond the package."""

import os
import sys

from qcode import __version__


def main() -> int:
    """Run qcode with the process's arguments; returns the exit code."""
    _open_streams()
    argv = sys.argv[1:]
    if argv in (["--version"], ["-v"], ["-V"]):
        sys.stdout.write(f"qcode {__version__}\n")
        return 0
    from qcode.cli.dispatch import dispatch  # noqa: PLC0415 - not needed for the version

    return dispatch(argv)


def _open_streams() -> None:
    """Put something in the place of standard streams that our parent has closed.

    In this order: each takes the lowest free descriptor, and no file of ours may get one of these.
    Writing to the stdout that stands in fails, so that a result is never lost in silence.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - no Path yet; kept
    if sys.stdout is None:
        sys.stdout = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - the same
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - the same
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a locale without `●` must not end a run
            stream.reconfigure(errors="replace")
