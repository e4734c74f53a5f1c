"""The one sanitiser: text that is safe to encode and safe to show. Every floor may use it."""

import re

_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor moves
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, SOS, PM, APC up to their end
    r"|\x9b[0-?]*[ -/]*[@-~]"  # CSI as one C1 byte
    r"|[\x90\x98\x9d-\x9f][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # the same as C1
    r"|\x1b[ -/]*[0-~]?"  # any other escape
    r"|\r(?=\n)"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""They turn what follows round: a name or a command would read otherwise than it is."""


def plain(text: str) -> str:
    """`text` without control sequences: only newline and tab survive of C0, nothing of C1."""
    return _CONTROL.sub("", text)


def well_formed(text: str) -> str:
    """`text` with each lone surrogate replaced by U+FFFD, so that it can be encoded as UTF-8.

    >>> well_formed("a" + chr(0xDC80))
    'a\ufffd'
    """
    return _SURROGATE.sub("\ufffd", text) if not text.isascii() else text


def one_line(text: str, width: int = 100) -> str:
    """The first non-blank line of `text`, plain, cut to `width` characters with an ellipsis.

    Signs that would turn it round are named: titles, lists, notifications and progress are read in
    the direction in which they are written.
    """
    line = next((row.strip() for row in plain(text).splitlines() if row.strip()), "")
    if not line.isascii():
        line = _TURNS.sub(lambda found: f"‹U+{ord(found[0]):04X}›", line)
    return line if len(line) <= width else line[: width - 1] + "…"
