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

_TURNS = "\u202a-\u202e\u2066-\u2069"
_TURNED = re.compile(f"[{_TURNS}]")
"""They turn what follows round: a name, a command, `x = 1 /* } */` would read otherwise than it
is."""
_ROW_ENDS = re.compile("[\u2028\u2029]")
_NO_SIGN = re.compile(
    # no width, no sign: marks of direction, joiners of nothing, blanks of no width, fillers, tags
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    # joiners and selectors belong to the sign before them; behind Latin there is nothing to join
    "|(?:^|(?<=[\x00-\u02ff\u200c\u200d\ufe00-\ufe0f]))(?:[\u200c\u200d]|[\ufe00-\ufe0f](?!\u20e3))",
    re.MULTILINE,
)
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"
    "\u00a0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u2800\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    "|(?<=[\ufe00-\ufe0f])[\ufe0e\ufe0f]"  # one of these behind a sign is an emoji's, more are not
)
_IN_JSON = re.compile(f"[\x7f-\x9f{_TURNS}\u2028\u2029]")


def plain(text: str) -> str:
    """`text` without control sequences: only newline and tab survive of C0, nothing of C1."""
    return _CONTROL.sub("", text)


def well_formed(text: str) -> str:
    """`text` with each lone surrogate replaced by U+FFFD, so that it can be encoded as UTF-8.

    >>> well_formed("a" + chr(0xDC80))
    'a\ufffd'
    """
    return _SURROGATE.sub("\ufffd", text) if not text.isascii() else text


def legible(text: str) -> str:
    """Prose, names, lines: plain, and read in the direction in which it is written. Signs that
    would turn it round are named, others that nobody sees are left out. Keeps newlines, tabs, and
    the joiners of emoji and of other scripts."""
    text = plain(text)
    if text.isascii():
        return text
    text = _TURNED.sub(_named, _ROW_ENDS.sub(" ", well_formed(text)))
    while (clean := _NO_SIGN.sub("", text)) != text:  # what is gone stood between two others
        text = clean
    return text


def visible(text: str) -> str:
    """Code, diffs, commands, names: what would not be seen is named by its number, in angle
    quotes. Keeps newlines and tabs."""
    return _UNSEEN.sub(_named, well_formed(text))


def _named(found: "re.Match[str]") -> str:
    """A sign by its number: `‹U+202E›`."""
    return f"‹U+{ord(found[0]):04X}›"


def escaped(json: str) -> str:
    """JSON that means the same, and steers no terminal that prints it."""
    if json.isascii() and "\x7f" not in json:
        return json
    return _IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", json)


def one_line(text: str, width: int = 100) -> str:
    """The first non-blank line of `text` as `legible`, cut to `width` characters by an ellipsis."""
    line = next((row.strip() for row in legible(text).splitlines() if row.strip()), "")
    return line if len(line) <= width else line[: width - 1] + "…"
