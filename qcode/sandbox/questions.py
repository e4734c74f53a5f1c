"""What the gate is asked, and what the commands that run meanwhile have of it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from qcode.sandbox.base import Gate
from qcode.sandbox.process import Process

MOST_NOTES = 20
MORE = "More hosts were not reached."
CLOSED = "the network is closed for commands"


class Questions:
    """Of one runner. Which command asks is not known: all in the foreground are told, or all jobs
    where there is none."""

    def __init__(
        self, gate: Callable[[], Gate | None], running: Callable[[], Iterable[Process]]
    ) -> None:
        self._gate = gate
        self._running = running

    async def ask(self, host: str, port: int) -> str:
        """As `Gate`. Meanwhile the time limits of what runs stand still."""
        gate = self._gate()
        if gate is None:
            return CLOSED
        with self._held():
            return await gate(host, port)

    def note(self, sentence: str) -> None:
        """Why a host was not reached; once a command, though a program tries ten times."""
        for process in self._running():
            more = len(process.notes) >= MOST_NOTES
            process.note(f"[network] {MORE if more else sentence}")

    @contextmanager
    def _held(self) -> Iterator[None]:
        clocks = [process.clock for process in self._running() if process.clock is not None]
        for clock in clocks:
            clock.hold()
        try:
            yield
        finally:
            for clock in clocks:
                clock.release()
