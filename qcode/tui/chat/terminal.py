"""Sequences for the terminal itself: its title, and a word to who looks elsewhere."""

from qcode.protocol.text import one_line

KEEP_TITLE = "\x1b[22;0t"
BRING_BACK_TITLE = "\x1b[23;0t"
"""xterm's stack of titles; other terminals take no notice."""

TITLE_CHARACTERS = 80
MOUSE_ON = "\x1b[?1000h\x1b[?1003h\x1b[?1015h\x1b[?1006h"
MOUSE_OFF = "\x1b[?1006l\x1b[?1015l\x1b[?1003l\x1b[?1000l"


def title(text: str) -> str:
    """OSC 0: the window's title."""
    return f"\x1b]0;{one_line(text, TITLE_CHARACTERS)}\x07"


def notification(text: str) -> str:
    """OSC 9 (iTerm2, kitty, WezTerm, Ghostty, Windows Terminal) and the bell for all others."""
    return f"\x1b]9;{one_line(text, TITLE_CHARACTERS)}\x07\x07"
