"""Text made fit to be drawn: without control sequences, and with nothing hidden in it."""

import re

from qcode.protocol.text import plain, well_formed

_BIDI = "\u202a-\u202e\u2066-\u2069"
"""They turn what follows round, up to the end of the row: `x = 1 /* } */` may read otherwise."""
_TURNED = re.compile(f"[{_BIDI}]")
_ROW_ENDS = re.compile("[\u2028\u2029]")
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"
    "\u00a0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u2800\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    "|(?<=[\ufe00-\ufe0f])[\ufe0e\ufe0f]"  # one of these behind a sign is an emoji's, more are not
)


def safe(text: str) -> str:
    """Prose: plain, and read in the direction in which it is written. Keeps `\\n` and tabs."""
    if text.isascii():
        return plain(text)
    return _ROW_ENDS.sub(" ", _TURNED.sub(_named, plain(well_formed(text))))


def visible(text: str) -> str:
    """Code, diffs, commands: what would not be seen is named by its number, in angle quotes.
    Keeps `\\n` and tabs."""
    return _HIDDEN.sub(_named, well_formed(text))


def _named(found: re.Match[str]) -> str:
    return f"‹U+{ord(found[0]):04X}›"
