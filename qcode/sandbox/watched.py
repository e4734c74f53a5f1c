"""The watch over protected names, by the processes of a runner."""

from collections.abc import Iterator
from contextlib import contextmanager

from qcode.sandbox.fence import Fence
from qcode.sandbox.landlock import Landlock
from qcode.sandbox.process import Process
from qcode.sandbox.watch import Watch


class Watched:
    """Does nothing for a fence that prevents what it promises."""

    def __init__(self, fence: Fence) -> None:
        self._watch = Watch(fence.ground) if isinstance(fence, Landlock) else None
        self._running: dict[int, Process] = {}

    @property
    def tripped(self) -> str:
        """See `Watch.tripped`."""
        return self._watch.tripped if self._watch else ""

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Around the start of a command."""
        if self._watch:
            self._watch.begin()
        try:
            yield
        except BaseException:
            if self._watch:
                self._watch.end()
            raise

    @contextmanager
    def alone(self) -> Iterator[list[str]]:
        """Around the whole of a command, beside which no other one runs; what was undone."""
        notes: list[str] = []
        if self._watch:
            self._watch.begin()
        try:
            yield notes
        finally:
            notes += self._watch.end() if self._watch else ()

    def started(self, process: Process) -> None:
        """It has begun. One that has ended by now is told by `ended` as well."""
        if self._watch:
            self._running[process.group.number] = process

    def ended(self, group: int) -> None:
        """Nothing of it runs any more: its notes say what was undone."""
        process = self._running.pop(group, None)
        if process and self._watch:
            for sentence in self._watch.end():
                process.note(sentence)
