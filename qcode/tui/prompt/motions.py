"""Where vim's motions lead in a text. Pure; places are numbers of characters."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

Reach = Literal["before", "through", "lines"]
"""What an operator takes: up to the target, the target too, or whole lines."""


class Target(NamedTuple):
    """Where a motion leads."""

    at: int
    reach: Reach = "before"


def line_start(text: str, at: int) -> int:
    """The first place of the line."""
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """The place of its line end, or the end of the text."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def first_word(text: str, at: int) -> int:
    """The first place of the line that is not blank."""
    start, end = line_start(text, at), line_end(text, at)
    while start < end and text[start] in " \t":
        start += 1
    return start


def clamp(text: str, at: int) -> int:
    """Onto a character: behind the last of a line there is no place outside insert mode."""
    at = max(0, min(at, len(text)))
    start, end = line_start(text, at), line_end(text, at)
    return max(start, min(at, end - 1))


def _kind(sign: str) -> int:
    """Blank, letter or other: words are runs of one kind."""
    return 0 if sign.isspace() else 1 if sign.isalnum() or sign == "_" else 2


def _word(text: str, at: int) -> int:
    if at < len(text):
        kind = _kind(text[at])
        while at < len(text) and kind and _kind(text[at]) == kind:
            at += 1
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _back(text: str, at: int) -> int:
    while at > 0 and text[at - 1].isspace():
        at -= 1
    while at > 1 and _kind(text[at - 1]) == _kind(text[at - 2]):
        at -= 1
    return max(0, at - 1)


def _end(text: str, at: int) -> int:
    at += 1
    while at < len(text) and text[at].isspace():
        at += 1
    while at + 1 < len(text) and _kind(text[at + 1]) == _kind(text[at]):
        at += 1
    return min(at, max(0, len(text) - 1))


def _left(text: str, at: int) -> int:
    return max(line_start(text, at), at - 1)


def _right(text: str, at: int) -> int:
    return min(line_end(text, at), at + 1)


def vertical(text: str, at: int, lines: int) -> int | None:
    """The same column so many lines below, or above; None = there are not so many."""
    column = at - line_start(text, at)
    for _ in range(abs(lines)):
        if lines < 0:
            if (start := line_start(text, at)) == 0:
                return None
            at = line_start(text, start - 1)
        else:
            if (end := line_end(text, at)) == len(text):
                return None
            at = end + 1
    return min(line_start(text, at) + column, line_end(text, at))


_STEPS: Mapping[str, tuple[Callable[[str, int], int], Reach]] = {
    "h": (_left, "before"),
    "l": (_right, "before"),
    "w": (_word, "before"),
    "b": (_back, "before"),
    "e": (_end, "through"),
}
_JUMPS: Mapping[str, tuple[Callable[[str, int], int], Reach]] = {
    "0": (line_start, "before"),
    "^": (first_word, "before"),
    "$": (line_end, "before"),
    "G": (lambda text, at: line_start(text, len(text)), "lines"),
    "g": (lambda text, at: 0, "lines"),
}
MOTIONS = frozenset((*_STEPS, *_JUMPS, "j", "k"))
SEEKING = frozenset("ftFT")
"""Motions to a character that is pressed next."""


def motion(text: str, at: int, key: str, count: int) -> Target | None:
    """Where one of `MOTIONS` leads, `g` being `gg`; None = nowhere."""
    if key in "jk":
        place = vertical(text, at, count if key == "j" else -count)
        return None if place is None else Target(place, "lines")
    if key in _JUMPS:
        jump, reach = _JUMPS[key]
        return Target(jump(text, at), reach)
    step, reach = _STEPS[key]
    for _ in range(min(count, len(text) + 1)):
        at = step(text, at)
    return Target(at, reach)


def seek(text: str, at: int, key: str, sought: str, count: int) -> Target | None:
    """To the next such character of the line (`f`, `F`), or to the place before it (`t`, `T`)."""
    start, end = line_start(text, at), line_end(text, at)
    place = at
    for _ in range(min(count, len(text) + 1)):
        if key in "ft":
            place = text.find(sought, place + 1, end)
        else:
            place = text.rfind(sought, start, place)
        if place < 0:
            return None
    place += {"t": -1, "T": 1}.get(key, 0)
    return Target(place, "through" if key in "ft" else "before")


def word_at(text: str, at: int, how: str) -> tuple[int, int]:
    """The word under the cursor (`i`), with the blanks behind it (`a`): from, to."""
    if at >= len(text) or text[at] == "\n":
        return at, at
    start, stop, kind = at, at, _kind(text[at])
    while start > 0 and text[start - 1] != "\n" and _kind(text[start - 1]) == kind:
        start -= 1
    while stop < len(text) and text[stop] != "\n" and _kind(text[stop]) == kind:
        stop += 1
    while how == "a" and stop < len(text) and text[stop] in " \t":
        stop += 1
    return start, stop
