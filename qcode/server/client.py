"""One endpoint as the engine sees it: facts once, then one streamed answer after another.

Here is what takes time: finding the server, waiting while its model loads, trying again. One
request is `attempt`'s, what its bytes mean `reader`'s, what a failure means `failures`'.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from msgspec.structs import replace

from qcode.protocol.events import Notice, Retried, ServerState
from qcode.server import counting, detect, slots
from qcode.server.ask import Asker, NoAnswer
from qcode.server.attempt import FieldRefused, Line, Running, attempt
from qcode.server.base import (
    Answer,
    Cold,
    Request,
    Server,
    ServerFacts,
    Streamed,
    Told,
    Warmed,
    silent,
)
from qcode.server.continuing import NotContinued, body, plainly
from qcode.server.door import Doors, make_http
from qcode.server.endpoint import PORTS, Patience, normalise
from qcode.server.failures import Away, Broken, Busy, Loading, Lost, Unreachable, gone
from qcode.server.known import Known, Target, Wishes
from qcode.server.quirks import QUIRKS
from qcode.server.tries import Tries
from qcode.server.warming import Ahead

if TYPE_CHECKING:
    import httpx2

_log = logging.getLogger(__name__)


def connect(
    base_url: str = "",
    api_key: str = "",
    model: str = "",
    patience: Patience | None = None,
    ports: Sequence[int] = PORTS,
    wishes: Wishes | None = None,
) -> Server:
    """A server, not yet asked anything.

    Without `base_url` the ports are tried on this machine, and the key stays at home: who listens
    there is not known. Without `model` the loaded one answers. Raises ConfigError.
    """
    named = normalise(base_url) if base_url else ""
    tried = (named,) if named else detect.addresses(ports)
    target = Target(tried, api_key if named else "", model, wishes or Wishes())
    return Client(target, patience or Patience())


class Client:
    """A `Server`: the one at the target's address, or the first that answers of several."""

    def __init__(self, target: Target, patience: Patience) -> None:
        self._target = target
        self._patience = patience
        self._known = Known(target, patience, self._asker)
        self._running = Running()
        self._ahead = Ahead()
        self._looking: asyncio.Task[None] | None = None
        """A second look at the server, behind its first answer."""
        self._http: httpx2.AsyncClient | None = None
        self._doors: Doors | None = None

    async def facts(self, told: Told = silent) -> ServerFacts:
        """Probe once and remember; while a model loads, wait for it and say so.

        Raises ServerGone, CredentialsRefused, UnknownModel.
        """
        tries = Tries(self._patience)
        while True:
            try:
                facts = await self._known.get()
            except (Loading, Unreachable) as failed:
                state, wait_seconds = self._put_off(tries, failed)
                if isinstance(state, ServerState):
                    told(state)
                await asyncio.sleep(wait_seconds)
            else:
                if back := tries.back():
                    told(back)
                return facts

    async def stream(self, request: Request) -> AsyncGenerator[Streamed, None]:
        """Send `request` and yield what comes; see `Server.stream`."""
        tries = Tries(self._patience)
        tries.is_up = self._known.facts is not None  # seen before: gone, it may be starting again
        while True:
            told: Streamed | None
            try:
                async with aclosing(self._try(request, tries)) as items:
                    async for item in items:
                        yield item
                return
            except NotContinued as refused:
                request = plainly(request)
                told, wait_seconds = self._give_up_continuing(str(refused)), 0.0
            except FieldRefused as refused:
                told, wait_seconds = self._give_up_field(str(refused)), 0.0
            except (Loading, Broken) as failed:
                told, wait_seconds = self._put_off(tries, failed)
            if told is not None:
                yield told
            await asyncio.sleep(wait_seconds)

    async def _try(self, request: Request, tries: Tries) -> AsyncGenerator[Streamed, None]:
        facts = _as_shaped(await self._known.get(), request)
        tries.is_up = True
        if told := self._known.news():
            yield Notice("warning", told)
        asked = replace(request, model=self._known.name_now(request.model))
        if asked.closed and not facts.continues:
            asked = plainly(asked)
        if facts.slots != 1:  # another one would be empty, and the prompt read from its beginning
            await self._ahead.settle(self._asker(self._patience.health_seconds), facts)
        async with aclosing(attempt(self._line(facts), asked)) as items:
            async for item in items:
                if item is None:
                    if back := tries.back():
                        yield back
                elif isinstance(item, ServerState):
                    yield tries.again(item)
                else:
                    if isinstance(item, Answer):  # who has it asks for nothing behind it
                        self._look_again()
                        if (seen := self._running.separates) is not None:
                            self._known.separates(seen)
                    yield item

    def _look_again(self) -> None:
        """In the background, where there is more to know."""
        if self._known.has_answered() and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._known.look_again())

    async def end_reasoning(self) -> bool:
        """See `Server.end_reasoning`. llama.cpp's own way, from b9538 on: it knows the answer by
        the name that it gave it."""
        if not (running := self._running.id) or not (facts := self._known.facts):
            return False
        if QUIRKS[facts.kind].continuation != "llamacpp":
            return False
        told = {"id": running, "action": "reasoning_end"}
        asker = self._asker(self._patience.health_seconds)
        try:
            reply = await asker.post(f"{facts.base_url}/chat/completions/control", told)
        except NoAnswer:
            return False
        return reply.fields.get("success") is True

    async def count(self, text: str) -> int | None:
        """See `Server.count`. None too while the server is not found yet."""
        if (facts := self._known.facts) is None:
            return None
        return await counting.count(self._asker(self._patience.health_seconds), facts, text)

    async def count_request(self, request: Request) -> int | None:
        """See `Server.count_request`. None too while the server is not found yet."""
        if self._known.facts is None:
            return None
        facts = _as_shaped(self._known.facts, request)
        asker = self._asker(self._patience.health_seconds)
        tools = {"tools": request.tools} if request.tools else {}
        return await counting.count_request(asker, facts, {**body(facts, request), **tools})

    async def warm(self, request: Request, mark: str, least: float = 0.0) -> Warmed | Cold:
        """See `Server.warm`. Nothing too while the server is not found yet."""
        if self._known.facts is None:
            return Cold("no server was found yet")
        facts = _as_shaped(self._known.facts, request)
        asker = self._asker(self._patience.health_seconds)
        return await self._ahead.read(asker, facts, request, mark, least)

    async def keep_slot(self, slot: int, name: str) -> int:
        """See `Server.keep_slot`."""
        if (facts := self._known.facts) is None:
            return 0
        return await slots.save(self._asker(self._patience.health_seconds), facts, slot, name)

    async def restore_slot(self, name: str) -> int:
        """See `Server.restore_slot`."""
        if (facts := self._known.facts) is None:
            return 0
        asker = self._asker(self._patience.health_seconds)
        await self._ahead.settle(asker, facts)
        return await slots.restore(asker, facts, name)

    async def fingerprint(self) -> str:
        """See `Server.fingerprint`."""
        if (facts := self._known.facts) is None:
            return ""
        return await slots.fingerprint(self._asker(self._patience.health_seconds), facts)

    async def known(self, wait_seconds: float = 0.0) -> ServerFacts | None:
        """See `Server.known`."""
        if self._looking and wait_seconds:
            await asyncio.wait((self._looking,), timeout=wait_seconds)
        return self._known.facts

    async def close(self) -> None:
        """Close all connections."""
        if self._looking:
            self._looking.cancel()
            await asyncio.wait((self._looking,))
        await self._ahead.close()
        http, self._http, self._doors = self._http, None, None
        if http is not None:
            await http.aclose()

    def _put_off(
        self, tries: Tries, failed: Loading | Broken
    ) -> tuple[ServerState | Retried | None, float]:
        """What to tell and how long to wait before the next try. Raises when it was the last."""
        if isinstance(failed, Loading | Lost | Away):
            self._known.was_away()
        if isinstance(failed, Unreachable) and (remedy := self._target.wishes.remedy):
            because = failed.because
            failed = Unreachable(because, gone(self._target.addresses, because, remedy))
        match failed:
            case Loading():
                return tries.while_loading(str(failed)), self._patience.poll_seconds
            case Busy():
                return tries.while_busy(failed)
            case Unreachable() | Away() if self._patience.unattended:
                return tries.while_gone(failed.because)
        was_up = tries.is_up
        retried = tries.after_break(failed)
        _log.warning("retry %d: %s", retried.attempt, retried.because)
        return retried if was_up else None, retried.wait_seconds

    def _give_up_continuing(self, because: str) -> Notice:
        self._known.does_not_continue()
        return Notice(
            "warning",
            f"The server does not go on behind closed reasoning ({because}): "
            "from now on the question is asked again with thinking off.",
        )

    def _give_up_field(self, name: str) -> Notice:
        self._known.refuses(name)
        return Notice("info", f"The server refuses the field {name}: it is no longer sent.")

    def _line(self, facts: ServerFacts) -> Line:
        if self._doors is None:
            self._doors = Doors(self._open(), facts.base_url, self._target.api_key)
        asker = self._asker(self._patience.probe_seconds)
        own = QUIRKS[facts.kind].chat_path
        door = self._doors.own(own) if own else self._doors.pick()
        return Line(facts, door, asker, self._patience, self._running)

    def _asker(self, limit_seconds: float) -> Asker:
        return Asker(self._open(), self._target.api_key, limit_seconds)

    def _open(self) -> "httpx2.AsyncClient":
        if self._http is None:
            address = self._target.addresses[0]  # several: all are on this machine
            self._http = make_http(address, self._patience.connect_seconds)
        return self._http


def _as_shaped(facts: ServerFacts, request: Request) -> ServerFacts:
    """`facts` with the strategy by which the messages were made: another one may be known since."""
    return replace(facts, strategy=request.strategy or facts.strategy)
