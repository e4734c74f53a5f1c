"""A terminal for tests: what a person sees after all that was written, by a real pty's rules."""

import io
import re


class Terminal(io.StringIO):
    """Says it is a terminal of no known size, and knows what `\\r` and `ESC [K` do."""

    def isatty(self) -> bool:
        return True

    @property
    def rows(self) -> list[str]:
        """The lines as they stand."""
        return [_settled(row) for row in self.getvalue().split("\n")]

    @property
    def drawn(self) -> list[str]:
        """Every state of the live line, in order."""
        return re.findall(r"\r([^\r\n\x1b]+)\x1b\[K", self.getvalue())


def _settled(row: str) -> str:
    """One line after its carriage returns."""
    shown = ""
    for part in row.split("\r"):
        text, clear, rest = part.partition("\x1b[K")
        shown = text + rest if clear else text + shown[len(text) :]
    return shown


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now
