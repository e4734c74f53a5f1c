"""Which of several sessions that are wanted at once is the one to open."""

from collections.abc import Iterator
from contextlib import contextmanager


class Wish:
    """For a session, while what it stands on is waited for."""

    stands_for_others = False
    """Older ones are dropped for it: nobody else tells how it ends."""


class Wishes:
    """The newest counts, as long as it is wished."""

    def __init__(self) -> None:
        self._open: list[Wish] = []

    @contextmanager
    def one(self) -> Iterator[Wish]:
        """A new one, dropped at the end."""
        wish = Wish()
        self._open.append(wish)
        try:
            yield wish
        finally:
            if wish in self._open:
                self._open.remove(wish)

    def take(self, wish: Wish) -> bool:
        """Whether it is the newest; then the others are dropped."""
        if wish not in self._open:
            return False
        newest = self._open[-1]
        newest.stands_for_others |= len(self._open) > 1
        if wish is newest:
            self._open.clear()
        return wish is newest
