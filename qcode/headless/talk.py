"""What is said beside the result, on stderr. A stderr that is full or gone stops nothing."""

import sys
from contextlib import suppress


def talk(text: str) -> None:
    """One line, under our name."""
    with suppress(OSError, ValueError):  # full, or its reader has left; closed
        sys.stderr.write(f"qcode: {text}\n")
        sys.stderr.flush()
