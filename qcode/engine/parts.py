"""What a turn works with."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Protocol

import msgspec

from qcode.engine.accounting import Accounting
from qcode.engine.calls import Calls
from qcode.engine.compaction import Compactor
from qcode.engine.history import History
from qcode.engine.limits import Limits
from qcode.engine.routing import Elsewhere, Nowhere
from qcode.engine.say import Say
from qcode.engine.verify import Verify
from qcode.protocol.messages import UserMessage
from qcode.server.base import Request, ServerFacts, Streamed
from qcode.server.budget import Calibration
from qcode.tools.base import Asker
from qcode.tools.structured import Wanted


class Answers(Protocol):
    """The part of a server that a turn needs; see `server.base.Server`."""

    async def facts(self) -> ServerFacts:
        """As they are known now."""
        ...

    def stream(self, request: Request) -> AsyncGenerator[Streamed, None]:
        """Send `request` and yield what comes."""
        ...

    async def end_reasoning(self) -> bool:
        """Have the running answer close its reasoning and go on."""
        ...


class Haste(msgspec.Struct):
    """ "Answer now": a person's word on its way to the answer that is being thought about."""

    thinks: bool = False
    """An answer is in its reasoning; else there is nothing to end."""
    asked: bool = False


async def _nothing() -> None:
    pass


class Parts(msgspec.Struct, frozen=True):
    """The same for all turns of a session."""

    server: Answers
    history: History
    calls: Calls
    say: Say
    limits: Limits
    accounting: Accounting
    compactor: Compactor
    verify: Verify | None
    steers: list[UserMessage]
    """Words of the person that wait for the end of the step; the engine adds, the turn takes."""
    haste: Haste = msgspec.field(default_factory=Haste)
    ask: Asker | None = None
    """Puts a question to the person; None = nobody is there."""
    calibration: Calibration = msgspec.field(default_factory=Calibration)
    """What the tokens of this session's answers are to our counts of them."""
    wanted: Wanted | None = None
    """The value that a turn is to give; None = its answer is words."""
    elsewhere: Elsewhere = msgspec.field(default_factory=Nowhere)
    """Who may answer instead."""
    rest: Callable[[], Awaitable[None]] = _nothing
    """At the end of each turn: what it changed is looked at and told."""
