"""Where the screen is drawn."""

import sys


def draw_on_terminal() -> None:
    """Textual draws on what `sys.__stderr__` is. Where that leads elsewhere, as in `qcode 2>log`,
    and stdout is a terminal, stdout stands in for it; `sys.stderr` stays what it was."""
    if not sys.stderr.isatty() and sys.stdout.isatty():
        sys.__stderr__ = sys.__stdout__  # type: ignore[misc] # typeshed's Final is a promise of ours
