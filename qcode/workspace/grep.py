"""Lines that match, in path order. ripgrep names the files when it is there, Python reads them.

The lines always come from here, so both ways give the same: binary files (with a zero byte) and
files over `files.WHOLE_BYTES` are passed over, links are not followed.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from qcode.workspace.files import Located, load
from qcode.workspace.ignore import Bounds
from qcode.workspace.pattern import Pattern
from qcode.workspace.ripgrep import listed
from qcode.workspace.search import Files, walk
from qcode.workspace.trouble import FileTrouble

_UTF16 = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


class Query(msgspec.Struct, frozen=True):
    """What is looked for, and how much of it."""

    pattern: Pattern
    files: Files | None
    """Only these; None = all."""
    lines: int
    """At most so many matching lines; 0 = only tell the files."""
    paths: int
    """At most so many files."""
    context: int = 0
    """Lines around each match."""


class Row(msgspec.Struct, frozen=True):
    """A line of a file."""

    number: int
    text: str
    start: int
    """Where in it the match begins; -1 = it only stands near a match."""


class Hit(msgspec.Struct, frozen=True):
    """A file with matches."""

    path: str
    """Absolute."""
    rows: tuple[Row, ...]


class Found(msgspec.Struct, frozen=True):
    """What a search brought."""

    hits: tuple[Hit, ...]
    stopped: str
    """Why there may be more: `limit`, `time`; empty = this is all."""
    skimmed: bool
    """Some lines are so long that only their beginning was searched; see `repeats`."""


class Patience(msgspec.Struct, frozen=True):
    """How long a search may go on."""

    until: float
    """By `time.monotonic`."""
    given_up: Callable[[], bool] = lambda: False

    @property
    def over(self) -> bool:
        """True = stop now."""
        return self.given_up() or time.monotonic() > self.until


def grep(start: Path, bounds: Bounds, query: Query, rg: str | None, patience: Patience) -> Found:
    """Search the file `start`, or all below the folder `start` that git does not ignore.

    `rg`: path of ripgrep, None = do without. `bounds` as in `search.walk`.
    """
    if start.is_file():
        return _gather([str(start)], query, patience)
    half = (time.monotonic() + patience.until) / 2  # it waits for pipes of odd names for ever

    def given_up() -> bool:
        return patience.over or time.monotonic() > half

    paths = listed(rg, start, bounds, query.pattern, given_up) if rg else None
    base = len(str(start).rstrip("/")) + 1
    wanted = query.files
    every = walk(start, bounds) if paths is None else paths
    some = every if wanted is None else (p for p in every if wanted.matches(p[base:]))
    return _gather(some, query, patience)


def _gather(paths: Iterable[str], query: Query, patience: Patience) -> Found:
    hits: list[Hit] = []
    left = query.lines
    skimmed = False
    for path in paths:
        if patience.over:
            return Found(tuple(hits), "time", skimmed)
        lines = _lines(path, query.pattern)
        skimmed = skimmed or any(len(line) > query.pattern.reach for line in lines)
        rows = list(_rows(lines, query, left))
        if not rows:
            continue
        if len(hits) == query.paths or (query.lines and left == 0):
            return Found(tuple(hits), "limit", skimmed)
        matched = sum(row.start >= 0 for row in rows)
        if query.lines and matched > left:
            return Found((*hits, Hit(path, tuple(_but_last(rows)))), "limit", skimmed)
        left -= matched if query.lines else 0
        hits.append(Hit(path, tuple(rows) if query.lines else ()))
    return Found(tuple(hits), "time" if patience.over else "", skimmed)


def _but_last(rows: list[Row]) -> list[Row]:
    """Without the last match, which is one too many."""
    last = max(index for index, row in enumerate(rows) if row.start >= 0)
    return rows[:last]


def _rows(lines: Sequence[str], query: Query, left: int) -> Iterator[Row]:
    """Matching lines, at most one more than `left`, and those around them."""
    starts = islice(_starts(lines, query.pattern), left + 1)
    matches = dict(starts)
    near = {
        number
        for match in matches
        for number in range(match - query.context, match + query.context + 1)
        if 0 <= number < len(lines)
    }
    for number in sorted(near):
        yield Row(number + 1, lines[number], matches.get(number, -1))


def _starts(lines: Sequence[str], pattern: Pattern) -> Iterator[tuple[int, int]]:
    for index, line in enumerate(lines):
        if match := pattern.search(line):
            yield index, match.start()


def _lines(path: str, pattern: Pattern) -> list[str]:
    """The lines of a file that may match; empty when surely none does."""
    try:
        data = load(Located(Path(path), path, "workspace")).data
    except FileTrouble:
        return []  # too large, unreadable, gone: a search passes over it
    text = _text(data)
    if text is None:
        return []
    lines = text.removesuffix("\n").split("\n")
    quick = max(map(len, lines)) <= pattern.reach
    if not text or (quick and not pattern.block.search(text)):
        return []
    return [line.removesuffix("\r") for line in lines]


def _text(data: bytes) -> str | None:
    """None = binary."""
    for mark, name in _UTF16:
        if data.startswith(mark):
            text = data[2:].decode(name, "replace")
            return None if "\0" in text else text
    if b"\0" in data:
        return None
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
