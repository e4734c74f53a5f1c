"""Where events go: the log, the conversation, then the front end."""

import asyncio

from qcode.protocol.errors import SessionNotSaved
from qcode.protocol.events import (
    FLEETING,
    AnyEvent,
    LoggedEvent,
    SessionStarted,
    StepStarted,
    TurnFinished,
)
from qcode.session.conversation import Conversation
from qcode.session.log import Log


class Stream:
    """Takes what a session says."""

    def __init__(self, log: Log | None, conversation: Conversation) -> None:
        self.log = log
        """None = nothing is kept (`--no-session`)."""
        self.conversation = conversation
        self.queue: asyncio.Queue[AnyEvent | None] = asyncio.Queue()
        self._held: list[LoggedEvent] | None = []
        """Events from before SessionStarted, which must head the log; None = it was said."""
        self._broken = False
        """The log failed once: what follows is only shown."""

    def say(self, event: AnyEvent) -> None:
        """See `say.Say`."""
        try:
            if not isinstance(event, FLEETING):
                self._keep(event)
        except SessionNotSaved as error:
            if not isinstance(event, TurnFinished):
                raise
            event = TurnFinished("error", str(error), type(error).__name__)  # told once, whatever
        finally:  # an answer that the log cannot hold is still shown
            self.queue.put_nowait(event)

    def _keep(self, event: LoggedEvent) -> None:
        if isinstance(event, SessionStarted):
            early, self._held = self._held or [], None
            for one in (event, *early):
                self._write(one)
        elif self._held is not None:
            self._held.append(event)
        else:
            self._write(event)

    def _write(self, event: LoggedEvent) -> None:
        self.conversation.apply(event)
        if self.log is None or self._broken:
            return
        try:
            self.log.append(event)
            if isinstance(event, StepStarted | TurnFinished):  # the end of a step
                self.log.flush()
        except SessionNotSaved:
            self._broken = True
            raise

    def flush(self) -> None:
        """What was said so far is on the disk when this returns."""
        if self.log is not None and not self._broken:
            self.log.flush()

    def close(self) -> None:
        """Nothing follows. A session in which no turn began leaves no file."""
        if self.log is not None:
            if self.conversation.turns:
                self.log.close()
            else:
                self.log.discard()
        self.queue.put_nowait(None)
