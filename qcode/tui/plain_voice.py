"""Where plain mode writes: lines, and questions at which the cursor waits. Colours are the only
sequences, and with NO_COLOR there are none."""

import os
from collections.abc import Mapping
from typing import TextIO

from qcode.tui.drawing.visible import safe

_CODES = {
    "dim": "2",
    "accent": "36",
    "prompt": "1",
    "warning": "33",
    "error": "31",
    "add": "32",
    "remove": "31",
    "code": "1",
}


class Voice:
    """Says things on a stream. That it has gone, as a terminal that was closed, is no error."""

    def __init__(self, out: TextIO, environ: Mapping[str, str] = os.environ) -> None:
        self._out = out
        dumb = environ.get("TERM") in ("dumb", None) or bool(environ.get("NO_COLOR"))
        self._codes: Mapping[str, str] = {} if dumb or not out.isatty() else _CODES
        self.asking = False
        """The cursor stands behind a question."""

    def line(self, text: str, style: str = "text") -> None:
        """`text`, which may have several lines; a question that waits is left standing."""
        ahead = "\n" if self.asking else ""
        self.asking = False
        said = safe(text).replace("\t", "    ")
        self._write(ahead + "".join(f"{self._styled(row, style)}\n" for row in said.split("\n")))

    def ask(self, text: str) -> None:
        """The question; the answer comes behind it."""
        if not self.asking:
            self._write(safe(text))
        self.asking = True

    def answered(self) -> None:
        """A line was typed: the terminal has begun a new one."""
        self.asking = False

    def _styled(self, row: str, style: str) -> str:
        code = self._codes.get(style)
        return f"\x1b[{code}m{row}\x1b[0m" if code and row else row

    def _write(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except (OSError, ValueError):  # closed: the session goes on to its end all the same
            self._codes = {}
