"""What of a raw value belongs to the format: a line end on each side, and the tags' own indent."""

import re

_CLOSING = re.compile(r"</parameter>\s*\Z", re.IGNORECASE)
_EDGES = re.compile(r"\A\r?\n|\r?\n\Z")


def value_in(between: str, indent: int, *, is_closed: bool) -> str:
    """The value in the text between its tags; `indent`: of the opening one, -1 = none."""
    if not is_closed:  # perhaps its closing stands behind its last line
        between = _CLOSING.sub("", between)
    return _outdented(_EDGES.sub("", between), indent)


def _outdented(text: str, columns: int) -> str:
    """Where the tags are indented and all lines of the value are too, that is the layout's."""
    indent = " " * columns
    lines = text.split("\n")
    if columns < 1 or not all(line.startswith(indent) for line in lines if line.strip()):
        return text
    return "\n".join(line[columns:] for line in lines)
