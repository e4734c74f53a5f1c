"""The question before the first session in a folder that would configure qcode, as lines.

A line that was typed too early trusts nothing: only the whole word does.
"""

import os
import sys

from qcode.tui.drawing.visible import visible
from qcode.tui.home import Configured
from qcode.tui.plain_voice import Voice

QUESTION = "trust, without, or Enter for without it this once? "
_STYLES = {"+": "add", "-": "remove"}


def settle(asked: Configured) -> None:
    """Tell all of it, ask, and keep the answer. The end of the input is no answer."""
    voice = Voice(sys.stdout)
    _tell(asked, voice)
    while True:
        voice.ask(QUESTION)
        said = _line(sys.stdin.fileno())
        voice.answered()
        match (said or "").strip().lower():
            case "":
                return
            case "trust" | "without" as word:
                if trouble := asked.settle(word):
                    voice.line(trouble, "warning")
                return
            case _:
                voice.line("This is asked before anything else.", "warning")


def _tell(asked: Configured, voice: Voice) -> None:
    if asked.since:
        voice.line(f"This folder's settings are not those that you trusted on {asked.since[:10]}.")
    else:
        voice.line("This folder brings settings along. None of them counts unless you trust it.")
    for heading, rows in (
        ("It would set:", asked.sets),
        ("Left out, trusted or not:", asked.left_out),
    ):
        if rows:
            voice.line(heading, "accent")
        for row in rows:
            voice.line(f"  {visible(row)}")
    voice.line("What has changed:" if asked.since else "All that is there:", "accent")
    for row in asked.patch:
        voice.line(visible(row), _STYLES.get(row[:1], "text"))


def _line(descriptor: int) -> str | None:
    """The next one, and no byte of what follows: that is for the prompt. None = there is none."""
    typed = bytearray()
    while True:
        try:
            byte = os.read(descriptor, 1)
        except OSError:  # the terminal was closed
            return None
        if byte in (b"", b"\n"):
            return typed.decode("utf-8", "replace") if byte or typed else None
        typed += byte
