"""Waits for changes of names in a thread; by a clock where the kernel does not tell them."""

import os
import select
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress

from qcode.sandbox.inotify import Change, Inotify

LOOK_SECONDS = 0.25
"""Between two looks where this user has no inotify left."""


class Ear:
    """For as long as something runs."""

    def __init__(self, inotify: Callable[[], Inotify] | None = Inotify) -> None:
        """`inotify`: None = there is none. Raises OSError."""
        self._reading, self._writing = os.pipe()
        self._folders: set[str] = set()
        self._inotify: Inotify | None = None
        with suppress(OSError):
            self._inotify = inotify() if inotify else None

    def add(self, folders: Collection[str]) -> None:
        """Listen for what happens directly in them. Never raises."""
        for folder in folders:
            if folder not in self._folders and self._inotify:
                try:
                    self._inotify.add(folder)
                except OSError:  # it is gone, or no watch is left: the clock has to do
                    self._inotify.close()
                    self._inotify = None
            self._folders.add(folder)

    def wait(self) -> bool:
        """Until something may have happened; False = nobody listens any more."""
        inotify = self._inotify
        waited = [self._reading, *([inotify.descriptor] if inotify else [])]
        with suppress(OSError, ValueError):  # closed meanwhile, see `add`
            ready = select.select(waited, [], [], None if inotify else LOOK_SECONDS)[0]
            return self._reading not in ready
        return True

    def read(self) -> Iterator[Change]:
        """What happened; one without a path says: look yourself."""
        if self._inotify is None:
            yield Change("", "gone")
        else:
            yield from self._inotify.read()

    def wake(self) -> None:
        """Nobody listens any more."""
        os.write(self._writing, b"x")

    def close(self) -> None:
        """By who waits."""
        os.close(self._reading)
        os.close(self._writing)
        if self._inotify:
            self._inotify.close()
            self._inotify = None
