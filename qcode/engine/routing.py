"""Who answers: the server that the run began with, or another one that takes its place.

Another one is taken when the first is gone (fallback, for the rest of the session), when `verify`
failed too often (escalation, for the rest of the turn), and when a person says so. What goes with
it (history, settings, the context's length) follows in place, so that a turn does not notice.

qcode itself sends the conversation beyond the local network only to a profile that allows it, and
says beforehand how much goes where.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Literal, Protocol

import msgspec
from msgspec.structs import replace

from qcode.engine.choices import Choice, Load, Plan, Switch, check_listed
from qcode.engine.renewing import Moment, renewed
from qcode.engine.say import Say
from qcode.engine.settings import Settings
from qcode.protocol.errors import QcodeError, ServerError, ServerGone
from qcode.protocol.events import ContextChanged, ModelChanged, Notice, Retried
from qcode.protocol.inputs import SetModel
from qcode.server.base import ServerFacts

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Between two turns, for a look at the server that is under way."""


class Elsewhere(Protocol):
    """What a turn needs of `Routes`."""

    async def gone(self, error: ServerGone) -> None:
        """Another server answers from here on. Raises `error` where none may."""
        ...

    async def failed(self) -> None:
        """The check failed: another model may answer for the rest of the turn."""
        ...

    async def renew(self, moment: Moment) -> None:
        """Take what the server tells by now and did not at first; it is not asked for it."""
        ...


class Nowhere:
    """Nobody else may answer."""

    async def gone(self, error: ServerGone) -> None:
        """Raises `error`."""
        raise error

    async def failed(self) -> None:
        """Nothing changes."""

    async def renew(self, moment: Moment) -> None:
        """Nothing is new."""


class Home(msgspec.Struct, frozen=True):
    """Where a turn goes back to at its end."""

    choice: Choice
    facts: ServerFacts
    settings: Settings


class Routes:
    """Chooses who answers. One per session."""

    def __init__(self, first: Choice, plan: Plan, settings: Settings, say: Say) -> None:
        self.server = Switch(first.server)
        self.choice = self._first = first
        self._plan = plan
        self._settings = settings
        self._say = say
        self._load: Load | None = None
        """None = the session has not begun."""
        self._home: Home | None = None
        self._wish: SetModel | None = None
        self._failures = 0
        """Of the check, in this turn."""
        self._fell_back = False
        self.arrived: Callable[[str], None] = lambda base_url: None
        """Called with the address of another server when it answers from then on."""
        self.revive: Callable[[], str] | None = None
        """See `Start.revive`."""
        self._reviving = threading.Lock()

    async def open(self) -> ServerFacts:
        """Find the first server, or the one that takes its place. Raises QcodeError."""
        if choice := await self._wished():
            return await self._go(choice)
        try:
            return await self._go(self.choice)
        except ServerGone as error:
            return await self._fall_back(error)

    def carry(self, load: Load) -> None:
        """What follows when another server answers."""
        self._load = load

    def wish(self, given: SetModel) -> None:
        """A person wants another model or server, from the next turn on."""
        self._wish = given

    async def ready(self) -> None:
        """Before each turn: back from an escalation, and to what the person wished for."""
        self._failures = 0
        if self._home:
            self._go_home(self._home)
        wish, choice = self._wish, await self._wished()
        here = choice is not None and choice.base_url == self.choice.base_url
        if choice and not here and await self._moved(choice):
            return
        try:
            await self._revived()
        except BaseException:
            if choice and here:  # the person may try once more
                self._wish = self._wish or wish
                await choice.server.close()
            raise
        await self.renew("turn")
        if choice and here:
            await self._moved(choice)

    async def _moved(self, choice: Choice) -> bool:
        """Whether what the person wished for answers from here on; where not, that is said."""
        if leaving := self._leaving(choice):
            self._tell(leaving)
        try:
            self._arrive(await self._go(choice, "listed"))
        except ServerError as error:
            self._warn(f"{error} The model of before goes on.")
            return False
        return True

    async def _revived(self) -> None:
        """The first server is started again if it is to answer and gone; where it cannot be,
        another one takes its place. Raises ServerGone where none may."""
        if self.revive is None or self.choice.base_url != self._first.base_url:
            return
        try:
            told = await asyncio.to_thread(self._revive_alone, self.revive)
        except ServerGone as error:
            self._arrive(await self._fall_back(error))
        else:
            if told:
                self._tell(told)

    def _revive_alone(self, revive: Callable[[], str]) -> str:
        """A prompt that was cancelled leaves its thread at it; the next one waits for that."""
        with self._reviving:
            return revive()

    async def gone(self, error: ServerGone) -> None:
        """See `Elsewhere.gone`."""
        self._arrive(await self._fall_back(error))
        self._say(Retried(1, f"{self.choice.name} answers instead", 0.0))

    async def failed(self) -> None:
        """See `Elsewhere.failed`. What keeps it from that is a Notice: the turn goes on."""
        self._failures += 1
        if self._plan.deeper is None or self._failures != self._plan.failures:
            return
        often = f"{self._failures} times" if self._failures > 1 else "once"
        why = f"the check failed {often}"
        try:
            choice = await asyncio.to_thread(self._plan.deeper)
            if self._may_leave(choice, why):
                words = f"{choice.name} answers for the rest of this turn, since {why}."
                self._tell(f"{words} {self._leaving(choice)}".strip())
                await self._visit(choice)
        except QcodeError as error:
            self._warn(f"{error} The model of before goes on.")

    async def renew(self, moment: Moment) -> None:
        """See `Elsewhere.renew`."""
        found = await self.server.known(LOOK_SECONDS if moment == "turn" else 0.0)
        if found is None or self._load is None:
            return
        before, messages = self._load.history.facts, self._load.history.conversation.messages
        if moment == "turn" and found.model != before.model:  # it came back with another
            self._arrive(self.choice.tune(found))
            return
        facts = renewed(before, found, moment, messages)
        if facts == before:
            return
        _log.debug("%s is known better: %s", facts.base_url, facts)
        self._load.learn(facts)
        if facts.context_tokens != before.context_tokens:
            self._say(ContextChanged(facts.context_tokens, facts.context_from))

    async def _visit(self, choice: Choice) -> None:
        """For this turn."""
        if self._load is None:
            return
        home = Home(self.choice, self._load.history.facts, replace(self._settings))
        self._arrive(await self._go(choice))
        self._home = home

    def _go_home(self, home: Home) -> None:
        self._home = None
        self.choice = home.choice
        self.server.to(home.choice.server)
        for name in ("model", "thinking_budget", "preset", "max_tokens"):
            setattr(self._settings, name, getattr(home.settings, name))
        self._arrive(home.facts)

    async def _fall_back(self, error: ServerGone) -> ServerFacts:
        """The facts of the server that takes the place. Raises `error` where none may."""
        if self._plan.fallback is None or self._fell_back:
            raise error
        try:
            choice = await asyncio.to_thread(self._plan.fallback)
        except QcodeError as second:
            raise ServerGone(f"{error} Nor can another one answer: {second}") from second
        if choice.base_url == self.choice.base_url or not self._may_leave(choice, str(error)):
            raise error
        self._fell_back, self._home = True, None
        words = f"{choice.name} answers instead, for the rest of this session."
        self._warn(f"{error} {words} {self._leaving(choice)}".strip())
        try:
            return await self._go(choice)
        except ServerError as second:
            raise ServerGone(f"{error} Nor can {choice.name} answer: {second}") from second

    async def _wished(self) -> Choice | None:
        """What the person wished for; None = nothing, or it cannot be, which is said."""
        wish, self._wish = self._wish, None
        if wish is None or self._plan.choose is None:
            return None
        try:
            return await asyncio.to_thread(self._plan.choose, wish, self.choice)
        except QcodeError as error:
            self._warn(f"{error} The model of before goes on.")
            return None

    async def _go(self, choice: Choice, wanted: Literal["any", "listed"] = "any") -> ServerFacts:
        """Its facts; it answers from here on. Raises ServerError, and nothing has changed.

        `listed`: another model of the same server is one of those that the server lists. Some
        servers take any name, and go on with the model that they have.
        """
        try:
            found = await choice.server.facts(self._say)
            if wanted == "listed" and choice.base_url == self.choice.base_url:
                check_listed(choice.name, found)
        except ServerError:
            await choice.server.close()
            raise
        self.choice = choice
        self.server.to(choice.server)
        return choice.tune(found)

    def _arrive(self, facts: ServerFacts) -> None:
        if self._load:
            self._load.move(facts)
        self._say(ModelChanged(facts.model, f"{facts.kind} {facts.version}".strip()))
        self.arrived(facts.base_url)
        self._say(ContextChanged(facts.context_tokens, facts.context_from))
        if self._load:
            self._say(self._load.history.asks())

    def _may_leave(self, choice: Choice, because: str) -> bool:
        """Whether qcode itself may change to it; where not, that is said."""
        if choice.remote == "allow" or not self._leaving(choice):
            return True
        self._warn(
            f"{choice.name} does not answer in its place ({because.rstrip('.')}): {choice.host} is "
            f'not on your network. Allow it with remote = "allow" in [profiles.{choice.name}], or '
            f"choose it yourself: --model {choice.name}. {self._weight()} would go there."
        )
        return False

    def _leaving(self, choice: Choice) -> str:
        """What leaves the local network, and where to; empty = nothing that did not before."""
        if choice.is_near or choice.host == self.choice.host:
            return ""
        return f"{self._weight()} leave your network for {choice.host}."

    def _weight(self) -> str:
        return self._load.weight() if self._load else "The prompt and all that follows"

    def _tell(self, text: str) -> None:
        self._say(Notice("info", text))

    def _warn(self, text: str) -> None:
        self._say(Notice("warning", text))
