"""What the next request begins with is read while nobody waits for it: at the start, while a person
types, and again when something took its place.

It ends in front of the words that are yet to come, so the first answer reads only these. Nothing of
it is in the log, and nothing depends on it: whatever fails here costs the time that it was to save.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from qcode.engine.heading import headed
from qcode.engine.history import History
from qcode.engine.say import Say
from qcode.protocol.ahead import Ahead
from qcode.protocol.events import ServerState
from qcode.protocol.messages import AssistantMessage, user
from qcode.server.base import Cold, Request, Server, Warmed
from qcode.server.shape import wire_messages
from qcode.server.shelf import Kept, Shelf
from qcode.session.log import Log

_log = logging.getLogger(__name__)

BUSY_SECONDS = 2.0
"""Until a server that answers somebody else is asked again."""
BUSY_TRIES = 60
LEAVING_SECONDS = 5.0
"""At the end of a session. A server that writes on then does so without us."""
LEAST_TOKENS = 1_000
"""A shorter conversation is read again as fast."""
BEFORE_SLEEP = 0.9
"""Of the time after which a server lets go of the model."""
MOST_OF = 0.9
"""A share of a conversation: a server that has less of it has lost it, to another one or by a new
start."""


class Keeps(msgspec.Struct, frozen=True):
    """Where sessions lie that a server has written down."""

    shelf: Shelf
    session: str


class Warms(msgspec.Struct, frozen=True):
    """How far it goes."""

    warm: Literal["on", "off"] = "off"
    person: Literal["present", "absent"] = "absent"
    """absent = the first request comes at once: nothing is read ahead of it, and nothing is written
    at the end; what was written before is given back all the same."""
    keeps: Keeps | None = None
    """None = nothing is written."""
    sleeps_seconds: float = 0.0
    """After so long a rest the server lets go of the model, so it is written shortly before that,
    too. 0 = it does not."""


def keeps(file: Path | None, log: Log | None) -> Keeps | None:
    """None = nothing is: nobody says where, or the session itself is not kept."""
    return Keeps(Shelf(file), log.session_id) if file and log else None


class Warming:
    """Reads ahead for one session."""

    def __init__(
        self,
        server: Server,
        history: History,
        opening: Callable[[str], str],
        how: Warms,
        say: Say,
    ) -> None:
        self._say = say
        self._leaves_seconds = how.sleeps_seconds * BEFORE_SLEEP if how.keeps else 0.0
        self._server, self._history, self._opening = server, history, opening
        self._keeps = how.keeps if how.warm == "on" else None
        self._reads = how.warm == "on" and how.person == "present"
        self._mark = f"here-{os.urandom(8).hex()}"
        """Stands for the words that are yet to come."""
        self._done: object = None
        """What was read last; see `_state`."""
        self._gave_back = False
        self._ahead = Ahead()
        self._task: asyncio.Task[None] | None = None

    def taken(self) -> Ahead:
        """What came of it since it was last asked."""
        ahead, self._ahead = self._ahead, Ahead()
        return ahead

    def rest(self) -> None:
        """Nothing else is done now: read ahead, in the background."""
        if self._reads and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._warm())

    async def stop(self) -> None:
        """A request is about to be sent: let go of the server at once."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))

    async def give_back(self) -> None:
        """A request is about to come. Have the server read what it wrote down of this session,
        once, if it was and if the server has it no more; one that sleeps is woken."""
        await self._give_back("woken")

    async def _give_back(self, sleeper: Literal["woken", "left"]) -> None:
        if self._gave_back or self._keeps is None or not self._history.conversation.messages:
            return
        with _quietly():
            kept = self._keeps.shelf.find(self._keeps.session)
            if kept is not None and await self._server.fingerprint() == kept.fingerprint:
                self._gave_back = await self._restore(kept, self._keeps.shelf, sleeper)
                return
        self._gave_back = True

    async def close(self) -> None:
        """The session ends: have the server write it down. Takes `LEAVING_SECONDS` at most."""
        await self.stop()
        if self._reads and self._keeps is not None:
            with _quietly():
                async with asyncio.timeout(LEAVING_SECONDS):
                    await self._keep(self._keeps)

    async def _warm(self) -> None:
        await self._give_back("left")
        # what a crash left without a result gets one with the next prompt, not before
        if not self._is_read() and not self._history.conversation.dangling():
            with _quietly():
                await self._read()
        if self._leaves_seconds:
            await self._leave()

    async def _leave(self) -> None:
        await asyncio.sleep(self._leaves_seconds)
        if self._keeps is not None:
            with _quietly():
                await self._keep(self._keeps)
            self._gave_back = False

    async def _read(self) -> None:
        for _ in range(BUSY_TRIES):
            state = self._state()
            came = await self._server.warm(self._request(), self._mark)
            if isinstance(came, Warmed):
                self._done = state
                self._count(came)
                _log.debug("prefix warmed: %s", _words(came))
                return
            _log.debug("nothing is read ahead: %s", came.because)
            if not came.again:
                return
            await asyncio.sleep(BUSY_SECONDS)

    async def _restore(self, kept: Kept, shelf: Shelf, sleeper: Literal["woken", "left"]) -> bool:
        """Whether it need not be tried again."""
        came = await self._server.warm(self._request(), self._mark, MOST_OF)
        if isinstance(came, Cold):
            if not came.sleeps or sleeper == "left":
                return not came.sleeps
            self._say(ServerState("waking"))
            try:
                await self._load(kept, shelf)
            finally:  # whatever came of it, nobody waits for that any more
                self._say(ServerState("back"))
        elif came.slot is None:
            await self._load(kept, shelf)
        return True

    async def _load(self, kept: Kept, shelf: Shelf) -> None:
        restored = await self._server.restore_slot(kept.name)
        _log.debug("slot of %s tokens restored from %s", f"{restored:,}", kept.name)
        if not restored:
            shelf.drop(kept)
        else:
            self._ahead = replace(self._ahead, restored_tokens=restored)

    def _count(self, warmed: Warmed) -> None:
        """Once more what was read, where it was read in pieces."""
        if warmed.loads:
            self._ahead = replace(self._ahead, loading_seconds=warmed.seconds)
            return
        read = warmed.prompt_tokens - warmed.cached_tokens
        tokens, seconds = self._ahead.tokens + read, self._ahead.seconds + warmed.seconds
        self._ahead = replace(self._ahead, tokens=tokens, seconds=seconds)

    async def _keep(self, keeps: Keeps) -> None:
        talk = self._history.conversation
        if not talk.messages or talk.dangling():
            return
        if not (fingerprint := await self._server.fingerprint()):
            return
        came = await self._server.warm(self._request(), self._mark, MOST_OF)
        if isinstance(came, Cold) or came.slot is None or came.prompt_tokens < LEAST_TOKENS:
            return
        kept = keeps.shelf.put(keeps.session, fingerprint, came.prompt_tokens)
        saved = await self._server.keep_slot(came.slot, kept.name)
        _log.debug("slot of %s tokens kept as %s", f"{saved:,}", kept.name)
        if not saved:
            keeps.shelf.drop(kept)

    def _request(self) -> Request:
        """The next one, with the mark for its words."""
        talk, facts = self._history.conversation, self._history.facts
        coming = headed(user(self._mark), talk, self._opening)
        messages = [*talk.messages, coming]
        wired = wire_messages(talk.system, messages, facts.strategy, facts.reasoning_field)
        return replace(self._history.request(), messages=wired)

    def _state(self) -> object:
        """Of what a prompt is made, but for messages that were added."""
        facts = self._history.facts
        return self._history.conversation.epoch, facts.base_url, facts.model, facts.strategy

    def _is_read(self) -> bool:
        """Whether the server has it all: it ended with an answer of its own, and what it rendered
        for that is what it will render."""
        if self._done != self._state() or self._history.facts.strategy == "plain":
            return False
        messages = self._history.conversation.messages
        last = messages[-1] if messages else None
        whole = isinstance(last, AssistantMessage) and last.finish not in ("cancelled", "closed")
        return whole or not messages


@contextmanager
def _quietly() -> Iterator[None]:
    """Nobody asked for it, so nobody is told what fails."""
    try:
        yield
    except Exception:  # noqa: BLE001  whatever it is, it must not cost a turn or the end of a session
        _log.debug("nothing was read ahead, kept or given back", exc_info=True)


def _words(warmed: Warmed) -> str:
    read = warmed.prompt_tokens - warmed.cached_tokens
    return f"{read:,} tokens in {warmed.seconds:.1f} s, {warmed.cached_tokens:,} were there"
