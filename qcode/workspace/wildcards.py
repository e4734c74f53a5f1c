"""File patterns as git writes them, as regular expressions.

`*` and `?` stay within a name, `**` between slashes crosses folders, `[a-z]` is one character.
Not `pathspec`: its patterns also match what lies below a match, while git judges each name by
itself and only then looks below; and its import stands on the way to the first request.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": " \\t\\n\\r\\f\\v",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_CLASS = re.compile(r"\[:(\w*):\]")
NOTHING = r"(?!)"
"""Matches no name: what git makes of a broken pattern."""


_STAR, _DEEP = "[^/]*", "(?:.*/)?"


def path_regex(pattern: str) -> str:
    """For a whole path from the pattern's folder, without a slash at either end.

    Patterns come with repositories, so many stars must not mean many ways to try: where another
    star follows, the first place that fits what stands between them is the only one looked at
    (what is left then is the most that can be left), and no other is gone back to.
    """
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        made, at = _stars(pattern, at) if pattern[at] == "*" else _one(pattern, at)
        if made is None:
            return NOTHING
        parts.append(made)
    *deep, last = _divided(parts, _DEEP)
    first = "".join(_names(deep.pop(0))) if deep else ""
    middle = [f"(?>(?:[^/]*/)*?{''.join(_names(each))})" for each in deep]
    ends = "".join(_names(last))
    return f"{first}{''.join(middle)}{_DEEP}{ends}" if _DEEP in parts else ends


def _names(parts: Sequence[str]) -> Iterator[str]:
    """The expression for parts without `**/`, whose stars end at slashes."""
    for at, name in enumerate(_divided(parts, "/")):
        if at:
            yield "/"
        *stars, last = _divided(name, _STAR)
        if not stars:
            yield "".join(last)
            continue
        yield "".join(stars[0])
        for between in stars[1:]:
            yield f"(?>[^/]*?{''.join(between)})"
        yield f"{_STAR}{''.join(last)}"


def _divided(parts: Sequence[str], sign: str) -> list[list[str]]:
    """`parts` between each `sign`."""
    found: list[list[str]] = [[]]
    for part in parts:
        if part == sign:
            found.append([])
        else:
            found[-1].append(part)
    return found


def alternatives(pattern: str) -> Iterator[str]:
    """`*.{js,ts}` as `*.js` and `*.ts`; braces may nest, those without a comma are literal."""
    for start, end, commas in _braces(pattern):
        if commas:
            cuts = [start, *commas, end]
            for left, right in pairwise(cuts):
                yield from alternatives(
                    pattern[:start] + pattern[left + 1 : right] + pattern[end + 1 :]
                )
            return
    yield pattern


def _braces(pattern: str) -> Iterator[tuple[int, int, list[int]]]:
    """Each closed pair: where it starts and ends, and its own commas."""
    open_at: list[tuple[int, list[int]]] = []
    skip = False
    for at, char in enumerate(pattern):
        if skip or char == "\\":
            skip = not skip and char == "\\"
        elif char == "{":
            open_at.append((at, []))
        elif char == "," and open_at:
            open_at[-1][1].append(at)
        elif char == "}" and open_at:
            start, commas = open_at.pop()
            yield start, at, commas


def _stars(pattern: str, at: int) -> tuple[str, int]:
    """`*`, `**` and the slash after it."""
    end = at
    while pattern[end : end + 1] == "*":
        end += 1
    begins = at == 0 or pattern[at - 1] == "/"
    if end - at == 2 and begins and pattern[end : end + 1] == "/":
        return _DEEP, end + 1
    if end - at == 2 and begins and end == len(pattern):
        return ".*", end
    return _STAR, end


def _one(pattern: str, at: int) -> tuple[str | None, int]:
    """One character of the pattern; None = the pattern is broken."""
    char = pattern[at]
    if char == "?":
        return "[^/]", at + 1
    if char == "[":
        return _set(pattern, at + 1)
    if char == "\\":
        at += 1
        if at == len(pattern):
            return None, at
    return re.escape(pattern[at]), at + 1


def _set(pattern: str, at: int) -> tuple[str | None, int]:
    """What stands between brackets; `at` is behind the opening one."""
    negated = pattern[at : at + 1] in ("!", "^") and bool(pattern[at : at + 1])
    at += negated
    items: list[str] = []
    first = True
    while first or pattern[at : at + 1] != "]":
        first = False
        if found := _CLASS.match(pattern, at):
            if found[1] not in _POSIX:
                return None, at
            items.append(_POSIX[found[1]])
            at = found.end()
            continue
        low, at = _member(pattern, at)
        high = low
        if pattern[at : at + 1] == "-" and pattern[at + 1 : at + 2] not in ("]", ""):
            high, at = _member(pattern, at + 1)
        if not low or not high:
            return None, at
        items.append(re.escape(low))  # git takes it also where the range runs backwards
        if low < high:
            items.append(f"-{re.escape(high)}")
    inner = "".join(items)
    if negated:
        return f"[^/{inner}]", at + 1
    return (f"(?!/)[{inner}]" if inner else NOTHING), at + 1


def _member(pattern: str, at: int) -> tuple[str, int]:
    """One character of a set, maybe escaped; empty at the pattern's end."""
    if pattern[at : at + 1] == "\\":
        at += 1
    return pattern[at : at + 1], at + 1
