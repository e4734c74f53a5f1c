"""What stands around commands while they run: checkpoints, questions about hosts, the fence itself.

Landlock cannot keep a command from every protected name, only find out afterwards: after the first
such find the fence counts as none, so that no mode allows commands by itself.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import msgspec

from qcode.engine.gate import NetworkGate
from qcode.engine.keeping import Keeping
from qcode.engine.say import Say
from qcode.engine.settings import Settings
from qcode.protocol.access import Access
from qcode.protocol.events import ModeChanged, Notice


class Standing(msgspec.Struct):
    """Calls and commands that may change something run inside."""

    keeping: Keeping
    gate: NetworkGate
    settings: Settings
    say: Say
    tripped: Callable[[], str]
    """See `PlainRunner.tripped`."""
    _told: bool = msgspec.field(default=False)

    @asynccontextmanager
    async def around(self, accesses: Sequence[Access]) -> AsyncIterator[None]:
        """A call."""
        async with self.keeping.around(accesses):
            self.gate.entered()
            try:
                yield
            finally:
                self._after()

    @asynccontextmanager
    async def command(self) -> AsyncIterator[None]:
        """A command that no call asked for, such as the one that verifies."""
        async with self.keeping.command():
            self.gate.entered()
            try:
                yield
            finally:
                self._after()

    def _after(self) -> None:
        self.gate.left()
        why = self.tripped()
        if not why or self._told:
            return
        self._told = True
        if self.settings.mode == "auto":
            self.settings.mode = "ask"
            self.say(ModeChanged("ask"))
        self.say(
            Notice("warning", f"{why} From here on each command of this session is asked about.")
        )
