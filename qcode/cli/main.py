"""Entry point. `--version` answers from here and imports nothing beyond the package."""

import sys

from qcode import __version__


def main() -> int:
    """Run qcode with the process's arguments; returns the exit code."""
    argv = sys.argv[1:]
    if argv in (["--version"], ["-v"], ["-V"]):
        sys.stdout.write(f"qcode {__version__}\n")
        return 0
    from qcode.cli.dispatch import dispatch  # noqa: PLC0415 - not needed for the version

    return dispatch(argv)
