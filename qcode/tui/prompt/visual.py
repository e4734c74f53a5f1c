"""What vim's visual mode has marked, and what becomes of it. Pure."""

from typing import Literal, NamedTuple

from qcode.tui.prompt.motions import line_end, line_start

Whole = Literal["signs", "lines"]

OPERATORS = {
    **{"d": "d", "x": "d", "X": "d", "D": "d", "c": "c", "s": "c", "S": "c", "C": "c", "R": "c"},
    **{"y": "y", "Y": "y", "p": "p", "P": "P", "~": "~", "u": "u", "U": "U", "J": "J"},
}
"""Keys in visual mode -> what they do. `r` waits for one more."""
_ON_LINES = frozenset("XDSCRYJ")


class Marked(NamedTuple):
    """A passage: both its ends are in it."""

    anchor: int
    """Where it was begun."""
    at: int
    """Where the cursor is."""
    whole: Whole

    def span(self, text: str) -> tuple[int, int]:
        """From, to: `text[from:to]`, without the end of its last line where it is whole lines."""
        first, last = sorted((self.anchor, self.at))
        if self.whole == "lines":
            return line_start(text, first), line_end(text, last)
        return first, min(len(text), last + 1)

    def shown(self, text: str) -> tuple[int, int]:
        """Where a selection begins, and where it ends with the cursor. The sign under the cursor
        is not in it: the cursor itself marks that."""
        if self.whole == "lines":
            return self.span(text)
        return self.anchor + (self.at < self.anchor), self.at


class Extent(NamedTuple):
    """How much was marked, so that `.` takes as much from somewhere else."""

    amount: int
    """Signs, or lines."""
    whole: Whole

    def at(self, text: str, cursor: int) -> Marked:
        """As much, from the cursor on."""
        last = cursor + self.amount - 1
        if self.whole == "lines":
            last = cursor
            for _ in range(self.amount - 1):
                last = min(line_end(text, last) + 1, len(text))
        return Marked(cursor, max(cursor, min(last, len(text) - 1)), self.whole)


def extent(marked: Marked, text: str) -> Extent:
    """How much that is."""
    start, stop = marked.span(text)
    if marked.whole == "lines":
        return Extent(text.count("\n", start, stop) + 1, "lines")
    return Extent(stop - start, "signs")


def widened(marked: Marked, key: str) -> Marked:
    """Whole lines, where the key takes them anyway."""
    return marked._replace(whole="lines") if key[0] in _ON_LINES else marked


def changed(text: str, start: int, stop: int, key: str) -> str:
    """The passage with other signs in the place of its own; a line end stays one."""
    passage = text[start:stop]
    match key[0]:
        case "~":
            return passage.swapcase()
        case "u":
            return passage.lower()
        case "U":
            return passage.upper()
        case "J":
            first, *others = passage.split("\n")
            return " ".join([first, *(line.lstrip(" ") for line in others)])
    return "".join(sign if sign == "\n" else key[1] for sign in passage)
