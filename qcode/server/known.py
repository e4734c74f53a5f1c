"""What is known of the server: found once, and again when it may be another one.

It may after it was away and after it loaded. And one whose model was not in memory tells its
context, its template and its eyes only when it is: it is looked at once more behind its first
answer, while nobody waits for it.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from qcode.protocol.errors import ServerError, ServerGone, UnknownModel
from qcode.server import detect
from qcode.server.adapters import ollama
from qcode.server.adapters.rendering import NO_RENDERING
from qcode.server.ask import Asker, NoAnswer, NotListening
from qcode.server.base import ServerFacts, Strategy
from qcode.server.continuing import can
from qcode.server.endpoint import Patience
from qcode.server.failures import Loading, Unreachable, gone
from qcode.server.quirks import QUIRKS

_log = logging.getLogger(__name__)

MOST_LOOKS = 3
"""At a server that told little and is too busy to tell more."""


def _as_it_is(model: str) -> int:
    return 0


def _as_told(facts: ServerFacts) -> ServerFacts:
    return facts


class Wishes(msgspec.Struct, frozen=True):
    """What was configured of a server, whatever it says."""

    strategy: Strategy | None = None
    """None = the one that fits."""
    context: Callable[[str], int] = _as_it_is
    """Tokens of context that a model is to have, by its name; 0 = as it is. Told to servers that
    take it with a request."""
    learned: Callable[[ServerFacts], ServerFacts] = _as_told
    """Facts -> facts with what was measured of that very server before."""
    remedy: str = ""
    """What a person can do where nobody answers; empty = start a server."""


@dataclass(frozen=True, slots=True)
class Target:
    """What was asked for."""

    addresses: tuple[str, ...]
    api_key: str = field(repr=False)
    model: str = ""
    wishes: Wishes = field(default_factory=Wishes)


class Known:
    """The facts of one target, kept true."""

    def __init__(self, target: Target, patience: Patience, asker: Callable[[float], Asker]) -> None:
        self._target = target
        self._patience = patience
        self._asker = asker
        self._finding = asyncio.Lock()
        self._may_differ = False
        self._looks = 0
        """Since it was found."""
        self._renamed: dict[str, str] = {}
        """Model that the server had -> the one that it came back with."""
        self._news = ""
        self.facts: ServerFacts | None = None
        """As last found; None = not yet."""

    async def get(self) -> ServerFacts:
        """The facts, found if they are not yet, looked up again if they may differ.

        Raises Loading, Unreachable, CredentialsRefused, UnknownModel and ServerGone.
        """
        async with self._finding:
            before = self.facts
            if before is None:
                self.facts = self._as_wished(await self._find(), None)
            elif self._may_differ:
                found = await self._find_again(before)
                self.facts = self._as_wished(found, before) if found else before
                self._compare(before, self.facts)
                self._looks = 0
            if self.facts is not before:
                _log.info("found %s", self.facts)
            self._may_differ = False
            assert self.facts is not None
            return self.facts

    def news(self) -> str:
        """What is another since it was last told, as a sentence; empty = nothing."""
        told, self._news = self._news, ""
        return told

    def name_now(self, model: str) -> str:
        """What a model is called that the server may have come back without."""
        return self._renamed.get(model, model)

    def was_away(self) -> None:
        """It may be another one when it is back."""
        self._may_differ = True

    def has_answered(self) -> bool:
        """Its model is in memory by now; whether it may tell more than before (`look_again`)."""
        return self.facts is not None and self._looks < MOST_LOOKS and _tells_little(self.facts)

    async def look_again(self) -> None:
        """Ask once more for what it could not tell while its model was not in memory."""
        before = self.facts
        if before is None:
            return
        self._looks += 1
        asker = self._asker(self._patience.connect_seconds)
        try:
            found = await detect.find(asker, before.base_url, before.model)
        except (NoAnswer, Loading, ServerError) as failed:  # at work; behind the next answer then
            _log.info("a second look was in vain: %s", failed)
            return
        found = self._as_wished(replace(found, picked_why=before.picked_why), self.facts)
        if self._may_differ or (found.kind, found.model) != (before.kind, before.model):
            return  # another one: `get` will see to that
        self._looks = MOST_LOOKS
        self.facts = found
        if not ollama.advice(before):
            self._news = self._news or ollama.advice(found)
        _log.info("a second look found %s", self.facts)

    def does_not_continue(self) -> None:
        """It was seen not to go on behind closed reasoning."""
        if self.facts:
            self.facts = replace(self.facts, continues=False)

    def refuses(self, name: str) -> None:
        """It was seen to refuse a field."""
        if self.facts:
            self.facts = replace(self.facts, refused=self.facts.refused | {name})

    def separates(self, how: bool) -> None:  # noqa: FBT001  what was seen, not a switch
        """Its answers were seen to hold their reasoning in a field of its own, or not to."""
        if self.facts and self.facts.separates is not how:
            self.facts = replace(self.facts, separates=how)

    async def _find(self) -> ServerFacts:
        tried, name = self._target.addresses, self._target.model
        try:
            if len(tried) == 1:
                return await detect.find(
                    self._asker(self._patience.connect_seconds), tried[0], name
                )
            return await detect.search(self._asker(self._patience.probe_seconds), tried, name)
        except NoAnswer as nothing:
            raise self._unreachable(str(nothing)) from nothing
        except ServerGone as nobody:
            if not self._patience.unattended:
                raise
            raise self._unreachable("connection refused") from nobody

    async def _find_again(self, before: ServerFacts) -> ServerFacts | None:
        """At the address where it was; None = it cannot tell now, the next answer will."""
        asker = self._asker(self._patience.connect_seconds)
        checked = QUIRKS[before.kind].model_name == "checked"
        names = [self._target.model or (before.model if checked else "")]
        names += [""] if not self._target.model and names[0] else []
        for name in names:  # the same model, if that is still there
            try:
                return await detect.find(asker, before.base_url, name)
            except NotListening as nobody:
                raise self._unreachable(str(nobody)) from nobody
            except UnknownModel:
                continue
            except (NoAnswer, ServerError):  # at work with its one thread; a proxy's page
                return None
        return None

    def _as_wished(self, facts: ServerFacts, before: ServerFacts | None) -> ServerFacts:
        """`facts` with what no question tells: what was seen before, what was configured."""
        wishes = self._target.wishes
        is_same = before is not None and before.model == facts.model
        told = before.asked_context if before and is_same else None
        facts = wishes.learned(ollama.asking(facts, told or wishes.context(facts.model)))
        if wishes.strategy:
            facts = replace(facts, strategy=wishes.strategy, strategy_why="configuration")
        if before is None or (before.kind, before.version) != (facts.kind, facts.version):
            return replace(facts, continues=can(facts))
        return replace(
            facts,
            continues=before.continues if is_same else can(facts),
            refused=before.refused,
            separates=before.separates if is_same else None,
        )

    def _compare(self, before: ServerFacts, after: ServerFacts) -> None:
        """Note what another server, or another start of it, changes."""
        changes = []
        if before.model != after.model:
            self._renamed = dict.fromkeys((*self._renamed, before.model), after.model)
            changes.append(f"the model {after.model} in place of {before.model}")
        old, new = before.context_tokens, after.context_tokens
        if old and new and old != new:
            changes.append(f"a context of {new:,} tokens in place of {old:,}")
        if changes:
            self._news = f"{after.base_url} came back with {' and '.join(changes)}."

    def _unreachable(self, because: str) -> Unreachable:
        return Unreachable(because, gone(self._target.addresses, because))


def _tells_little(facts: ServerFacts) -> bool:
    """Whether there is more to know than was told; services for money have no more to tell."""
    if QUIRKS[facts.kind].hosts:
        return False
    unseen = facts.strategy_why.startswith(NO_RENDERING)
    return facts.loaded is False or facts.context_tokens is None or unseen
