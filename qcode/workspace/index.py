"""All files and folders of a workspace, in memory, for completion by a few letters.

Everything here blocks and is called in threads. It runs beside an event loop that echoes keys, so
it lets go of the interpreter every millisecond: a thread that does not holds it for five.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from heapq import nlargest
from pathlib import Path

from qcode.workspace.fuzzy import PAGE_PATHS, Found, Narrowing, Page, page, search
from qcode.workspace.ignore import Bounds
from qcode.workspace.search import walk

MOST_PATHS = 500_000
"""Of a larger tree the rest is not offered: it would take the room of the conversation."""
SLICE_SECONDS = 0.001
"""Of work between two moments of sleep: each costs nearly a quarter of a millisecond."""
_FRESH_SECONDS = 5.0
_FRESH_BUILDS = 20
"""It is made anew at most this many times as seldom as making it takes."""
_DAY_SECONDS = 86_400.0


class GivenUp(Exception):
    """Nobody waits for the answer any more."""


class Pace:
    """Call it often: now and then it sleeps a moment, so that others come to their turn."""

    def __init__(self, given_up: Callable[[], bool] = lambda: False) -> None:
        self._given_up = given_up
        self._until = 0.0

    def __call__(self) -> None:
        """Raises GivenUp."""
        if time.perf_counter() < self._until:
            return
        if self._given_up():
            raise GivenUp
        time.sleep(0.0001)
        self._until = time.perf_counter() + SLICE_SECONDS


class FileIndex:
    """What `@` completes. `build` and `find` may run at once, each in a thread."""

    def __init__(self, root: Path, bounds: Bounds | None = None) -> None:
        self._root = root
        self._bounds = bounds or Bounds(root)
        self._pages: tuple[Page, ...] = ()
        self._narrowing = Narrowing()
        self._built_at = 0.0
        self._took_seconds = 0.0
        self._touched: dict[str, None] = {}

    def __len__(self) -> int:
        return sum(len(one.paths) for one in self._pages)

    @property
    def stale(self) -> bool:
        """Whether it is worth while to build it (again)."""
        fresh = max(_FRESH_SECONDS, _FRESH_BUILDS * self._took_seconds)
        return self._built_at == 0.0 or time.monotonic() - self._built_at > fresh

    def touch(self, path: str) -> None:
        """Somebody edited or named it just now: it goes before its equals. Does not block."""
        self._touched.pop(path, None)
        self._touched[path] = None

    def build(self, given_up: Callable[[], bool] = lambda: False) -> None:
        """Read the folders. The first time, what is there already can be found meanwhile."""
        began = time.monotonic()
        first = not self._pages
        pages: list[Page] = []
        try:
            for some in _parcels(self._paths(Pace(given_up))):
                pages.append(page(some))
                if first:
                    self._pages = tuple(pages)
        except GivenUp:
            return
        self._pages = tuple(pages)
        self._built_at = time.monotonic()
        self._took_seconds = self._built_at - began

    def find(
        self, query: str, limit: int, given_up: Callable[[], bool] = lambda: False
    ) -> Iterator[list[Found]]:
        """Ever better answers, the best path first; no letters: what was touched, then the top."""
        pause = Pace(given_up)
        try:
            if not query:
                yield self._without_letters()[:limit]
                return
            answer: list[Found] = []
            for found in search(query, self._pages, pause, self._narrowing):
                answer = self._best(found, limit, pause)
                yield answer
            if not answer:
                yield []
        except GivenUp:
            return

    def _best(self, found: list[Found], limit: int, pause: Pace) -> list[Found]:
        """Of the likest the lately edited ones first; only those are asked for their times."""

        def likeness(one: Found) -> tuple[float, str]:
            pause()
            return one.rating, one.path

        def with_age(one: Found) -> float:
            pause()
            return one.rating + self._lately(one.path, now)

        now = time.time()
        return nlargest(limit, nlargest(4 * limit, found, key=likeness), key=with_age)

    def _lately(self, path: str, now: float) -> float:
        if path in self._touched:
            return 12.0
        try:
            days = max(0.0, now - os.stat(f"{self._root}/{path}").st_mtime) / _DAY_SECONDS  # noqa: PTH116 - strings all the way
        except (OSError, ValueError):
            return -20.0  # it is gone
        return 4.0 / (1.0 + days)

    def _without_letters(self) -> list[Found]:
        touched = reversed(tuple(self._touched))
        top = (path for one in self._pages[:1] for path in one.paths if path not in self._touched)
        return [Found(path) for path in (*touched, *sorted(top, key=_depth))]

    def _paths(self, pause: Pace) -> Iterator[str]:
        """Relative, folders before what is in them, without names that cannot be written down."""
        base = len(str(self._root).rstrip("/")) + 1
        seen = ""
        count = 0
        for path in walk(self._root, self._bounds):
            pause()
            below = path[base:]
            if "\n" in below or not below.isprintable():
                continue
            folder = below.rpartition("/")[0]
            if folder != seen:
                yield from _entered(folder, seen)
                seen = folder
            yield below
            count += 1
            if count >= MOST_PATHS:
                return


def _depth(path: str) -> tuple[int, str]:
    return path.rstrip("/").count("/"), path


def _entered(folder: str, before: str) -> Iterator[str]:
    """The folders that a step from `before` to `folder` enters."""
    parts = folder.split("/") if folder else []
    for depth in range(1, len(parts) + 1):
        way = "/".join(parts[:depth])
        if not f"{before}/".startswith(f"{way}/"):
            yield f"{way}/"


def _parcels(paths: Iterable[str]) -> Iterator[list[str]]:
    some: list[str] = []
    for path in paths:
        some.append(path)
        if len(some) == PAGE_PATHS:
            yield some
            some = []
    if some:
        yield some
