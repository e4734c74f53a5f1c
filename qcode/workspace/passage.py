"""Between a file's own line ends and plain ones: what is not replaced keeps every byte."""

import re
from bisect import bisect_left
from collections.abc import Sequence

from qcode.workspace.encoding import line_end
from qcode.workspace.ends import common_ends
from qcode.workspace.match import Place


def flat(text: str) -> str:
    """With `\\n` line ends, as matching wants it."""
    return text.replace("\r\n", "\n")


def line_of(text: str, offset: int) -> int:
    """Number of the line that `offset` is in, from 1."""
    return text.count("\n", 0, offset) + 1


def put(raw: str, places: Sequence[Place]) -> str:
    """`raw` with something else at `places`: apart, in order, in offsets of `flat(raw)`.

    What is put in takes the line ends of the passage it replaces, else that of the line it stands
    in, else those of the file; what old and new have in common at their ends stays as it is.
    """
    pairs = [found.start() - index for index, found in enumerate(re.finditer("\r\n", raw))]
    made: list[str] = []
    done = 0
    for place in places:
        whole = raw[_raw(pairs, place.start) : _raw(pairs, place.end)]
        head, tail = common_ends(flat(whole), place.new)
        start = _raw(pairs, place.start + head)
        new = place.new[head : len(place.new) - tail]
        made += [raw[done:start], _ended(new, whole, _rest(raw, start), raw)]
        done = _raw(pairs, place.end - tail)
    return "".join([*made, raw[done:]])


def _raw(pairs: Sequence[int], offset: int) -> int:
    """The offset in the text itself; `pairs`: where in its flat form two characters became one."""
    return offset + bisect_left(pairs, offset)


def _rest(raw: str, start: int) -> str:
    """From there to the line's end."""
    return raw[start : raw.find("\n", start) + 1]


def _ended(text: str, *models: str) -> str:
    end = line_end(next((model for model in models if "\n" in model), models[-1]))
    return text if end == "\n" else text.replace("\n", end)
