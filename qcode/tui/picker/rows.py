"""Rows to choose from."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Generic, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from qcode.protocol.text import one_line
from qcode.tui.drawing.visible import safe
from qcode.tui.lines import Line
from qcode.tui.picker.match import Places, fuzzy

T = TypeVar("T")


class Row(msgspec.Struct, Generic[T], frozen=True):
    """One choice."""

    value: T
    """What choosing it gives."""
    title: str
    note: str = ""
    """Grey, at the right."""
    words: str = ""
    """Searched too, not shown."""
    group: str = ""
    """A heading stands above the first row of each."""
    mark: Literal["", "now", "bad"] = ""
    """`now` = it is what holds; `bad` = it can be seen and not be chosen."""
    hang: int = 0
    """Characters of the title under which the rest of it goes on; 0 = what is too long is cut."""


def tidied(row: Row[T]) -> Row[T]:
    """The row as it can be drawn: lines of text that may come from a model or a file."""
    title, note = one_line(safe(row.title), 300), one_line(safe(row.note), 200)
    return replace(row, title=title, note=note, group=one_line(safe(row.group), 200))


class Hit(msgspec.Struct, Generic[T], frozen=True):
    """A row that the search found."""

    row: Row[T]
    places: Places = ()
    """Letters of the title that the search named."""
    group: str = ""
    """Its heading, where rows stand in groups."""


Coming = Callable[[], AsyncIterator[Sequence[Row[T]]]]
"""Rows as they are found; each batch is added to those before."""

Source = Sequence[Row[T]] | Coming[T]

Preview = Callable[[T], Awaitable[Sequence[Line]]]
"""What is shown beside a row; it may take its time."""

Deeper = Callable[[str], Awaitable[Sequence[Row[T]]]]
"""More rows for a search, from where looking takes a while."""


Order = Literal["best first", "as given"]
"""In which a search shows what it finds; `as given` keeps groups together."""


class Choices(Generic[T]):
    """All rows, those that the search finds, and the one at hand. Pure."""

    def __init__(self, rows: Iterable[Row[T]] = (), order: Order = "best first") -> None:
        self.rows: list[Row[T]] = [*map(tidied, rows)]
        self.deeper: list[Row[T]] = []
        """Found elsewhere for this very search."""
        self.query = ""
        self.found: list[Hit[T]] = []
        self.at = 0
        """Index in `found`."""
        self._order: Order = order
        self._best = 0
        """Index of what the search fits best."""
        self._find()
        self.at = next((n for n, hit in enumerate(self.found) if hit.row.mark == "now"), 0)

    @property
    def row(self) -> Row[T] | None:
        """The row at hand; None = there is none."""
        return self.found[self.at].row if self.found else None

    def add(self, rows: Iterable[Row[T]]) -> None:
        """More rows; the one at hand stays it."""
        self.rows.extend(map(tidied, rows))
        self._again()

    def replace(self, rows: Iterable[Row[T]]) -> None:
        """Other rows; the one at hand stays it, if it is among them."""
        self.rows = [*map(tidied, rows)]
        self._again()

    def add_deeper(self, query: str, rows: Iterable[Row[T]]) -> None:
        """What was found elsewhere for `query`; nothing, if that is no longer what is sought."""
        if query == self.query:
            self.deeper = [tidied(row) for row in rows]
            self._again()

    def search(self, query: str) -> None:
        """Find these words; the best row is then at hand."""
        self.query, self.deeper = query, []
        self._find()
        self.at = self._best

    def move(self, steps: int) -> None:
        """Up or down; from the last row on to the first and back, one step at a time."""
        count = len(self.found)
        if not count:
            return
        if abs(steps) == 1:
            self.at = (self.at + steps) % count
        else:
            self.at = min(max(self.at + steps, 0), count - 1)

    def to(self, at: int) -> None:
        """This one, or the nearest there is."""
        self.at = min(max(at, 0), max(len(self.found) - 1, 0))

    def _again(self) -> None:
        held = self.row
        before = self.at
        self._find()
        values = [hit.row.value for hit in self.found]
        self.at = values.index(held.value) if held and held.value in values else 0
        if held is None or held.value not in values:
            self.to(before)

    def _find(self) -> None:
        self._best = 0
        if not self.query.strip():
            self.found = [Hit(row, (), row.group) for row in self.rows]
            return
        scored = [hit for row in self.rows if (hit := _hit(self.query, row, self._order))]
        if self._order == "best first":
            scored.sort(key=lambda pair: -pair[0])  # stable: equals stay in order
        elif scored:
            self._best = max(range(len(scored)), key=lambda at: (scored[at][0], -at))
        self.found = [hit for _, hit in scored]
        self.found += [Hit(row, (), row.group) for row in self.deeper]


def _hit(query: str, row: Row[T], order: Order) -> tuple[int, Hit[T]] | None:
    """By letters where the best comes first; in a list that keeps its order by whole words."""
    beside = f"{row.title} {row.note} {row.words}".casefold()
    whole = all(word in beside for word in query.casefold().split())
    found = fuzzy(query, row.title)
    if found and (whole or order == "best first"):
        return found[0], Hit(row, found[1], row.group if order == "as given" else "")
    return (0, Hit(row, (), row.group if order == "as given" else "")) if whole else None
