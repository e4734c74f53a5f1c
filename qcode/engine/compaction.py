"""When the next request would not fit: old results and reasoning go, or all becomes a summary.

Not before, since what is left is read again whole. Old tool results and old reasoning go first,
also for the second time in a long turn: each time must halve the request, so that many steps lie
between. Where that would not halve it, the model is asked for a summary (`summariser`), at most
once a turn. What would not halve it either is not done: the turn ends and says what fills the
context.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from qcode.engine.limits import Spent
from qcode.engine.room import Room
from qcode.engine.say import Say
from qcode.engine.scale import Scale
from qcode.engine.summariser import Summariser
from qcode.engine.summary import Draft
from qcode.protocol.errors import ContextOverflow, QcodeError
from qcode.protocol.events import Compacted, Elided, Notice
from qcode.protocol.messages import AssistantMessage, Message, ToolMessage
from qcode.session.elision import elided

RESULT_CHARACTERS = 400
"""An old result that is no longer than this stays."""
KEPT_BY_HAND = 1_000
"""Tokens at the end that stay when a person asks for it: they want the room."""


class Compactor(msgspec.Struct):
    """Makes room in the conversation. One per session; `begin` each turn."""

    room: Room
    summariser: Summariser
    say: Say
    scale: Scale
    wanted: Literal["auto", "off"] = "auto"
    """off = only by hand."""
    _summarised: bool = msgspec.field(default=False)
    """In this turn."""
    _refused: bool = msgspec.field(default=False)
    """The server has refused a prompt of this turn for its length."""

    def begin(self) -> None:
        """A new turn: it may have one summary."""
        self._summarised = self._refused = False

    async def before(self, spent: Spent, left: int | None = None) -> None:
        """Call it before each request: makes room when the next would not fit.

        `left`: tokens that the turn may still generate, None = any number; what a summary costs is
        added to `spent`. Raises ContextOverflow with an explanation, and other ServerErrors.
        """
        if self.wanted == "off":
            return
        await self.scale.weigh()
        if self.room.lacks():
            await self._make_room(spent, left)

    async def after(self, error: ContextOverflow, spent: Spent, left: int | None = None) -> None:
        """The server refused the prompt for its length: make room, once a turn, and ask again.

        Raises ContextOverflow when that was done already, gains nothing, or is not wanted.
        """
        told = ContextOverflow(f"{error} The request holds {self.room.fills()}.{self._off}")
        if self.wanted == "off" or self._refused:
            raise told from error
        self._refused = True
        self.room.learn(error)
        try:
            await self._make_room(spent, left)
        except ContextOverflow as vain:  # the server's own numbers are better than ours
            raise told from vain

    async def by_hand(self, focus: str = "") -> None:
        """A summary now, because a person asks for it. What keeps it from that is a Notice."""
        before = self.room.expected()
        draft, left = self._draft(before // 2, KEPT_BY_HAND)
        if draft is None:
            self._refuse(f"it takes ~{before:,} tokens, and ~{left:,} of them would stay.")
            return
        try:
            await self._summarise(draft, focus, Spent(), None)
        except QcodeError as error:
            self._refuse(str(error))

    @property
    def _off(self) -> str:
        if self.wanted == "auto":
            return ""
        return ' Nothing was compacted: agent.compaction is "off".'

    def _refuse(self, because: str) -> None:
        self.say(Notice("warning", f"The conversation was not compacted: {because}"))

    async def _make_room(self, spent: Spent, left: int | None) -> None:
        """Elide if that is enough, else summarise."""
        before = self.room.expected()
        elision = self._elision(before)
        if elision and self._is_enough(elision.tokens_after, before):
            self.say(elision)
            return
        if self._summarised:
            raise self._full(
                "It was summed up in this turn already, and taking out the old results that came "
                "since would not halve it."
            )
        draft, would_stay = self._draft(self.room.halved(before), self._quarter(before))
        if draft is None:
            raise self._full(f"A summary would not halve it: ~{would_stay:,} tokens would stay.")
        if elision and not self.summariser.fits():
            self.say(elision)
        self._summarised = True
        await self._summarise(draft, "", spent, left)

    def _is_enough(self, after: int, before: int) -> bool:
        context = self.room.context_tokens
        fits = context is None or after + self.room.needed() <= context
        return fits and after <= self.room.halved(before)

    def _quarter(self, before: int) -> int:
        return (self.room.context_tokens or before) // 4

    @property
    def _messages(self) -> Sequence[Message]:
        return self.room.talk.messages

    def _elision(self, before: int) -> Elided | None:
        """What taking out old results and reasoning would gain; None = nothing."""
        old = self._messages[: self._recent(self._quarter(before))]
        gain = self.room.of(old) - self.room.of(elided(old, RESULT_CHARACTERS))
        return Elided(len(old), RESULT_CHARACTERS, before, before - gain) if gain > 0 else None

    def _recent(self, tokens: int) -> int:
        """Where the last `tokens` begin; the last answer and its results are recent anyway."""
        behind = self.room.behind(self._messages)
        begin = next(at for at, size in enumerate(behind) if size <= tokens)
        return max(0, min(begin, _last_answer(self._messages)))

    def _draft(self, limit: int, most_kept: int) -> tuple[Draft | None, int]:
        """The compaction that leaves `limit` tokens at most, None = there is none; and what one
        leaves at least. Kept are whole steps at the end, or words alone where none fits."""
        room = self.room
        most = room.characters(self._quarter(room.expected()))
        draft = Draft(room.talk, 0, most)
        least = self._size(draft) + self.room.summary()
        if least > limit or _last_answer(self._messages) < 1:
            return None, least
        most_kept = min(limit - least, most_kept)
        behind = room.behind(self._messages)
        start = next(at for at in starts(self._messages) if behind[at] <= most_kept)
        return replace(draft, kept=len(self._messages) - start), least

    def _size(self, draft: Draft, words: str = "") -> int:
        """Tokens of the request that a compaction leaves."""
        kept = self._messages[len(self._messages) - draft.kept :]
        return self.room.fixed() + self.room.of([draft.message(words), *kept])

    async def _summarise(self, draft: Draft, focus: str, spent: Spent, left: int | None) -> None:
        before = self.room.expected()
        after = self._size(draft) + self.room.summary()
        self._tell(before, after)
        words = await self.summariser.words(focus, spent, left)
        after = self._size(draft, words)
        self.say(Compacted(draft.message(words), draft.kept, before, after))

    def _tell(self, before: int, after: int) -> None:
        """What is to come, since it takes its time, and its price."""
        context = self.room.context_tokens
        of = f" of {context:,}" if context else ""
        said = f"The conversation takes ~{before:,}{of} tokens: the model sums it up."
        self.say(Notice("info", f"{said} The new prompt, ~{after:,} at most, is read once."))

    def _full(self, because: str) -> ContextOverflow:
        room = self.room
        context = f" The server has loaded {room.context_tokens:,}." if room.context_tokens else ""
        return ContextOverflow(
            f"The context is full: the next request takes ~{room.expected():,} tokens, and its "
            f"answer should have {room.needed():,}.{context} {because} The request holds "
            f"{room.fills()}. Ask for less at a time in a new session, or have the server load a "
            "larger context (llama-server: -c; Ollama: OLLAMA_CONTEXT_LENGTH)."
        )


def _last_answer(messages: Sequence[Message]) -> int:
    """Its index; -1 = there is none."""
    at = range(len(messages) - 1, -1, -1)
    return next((i for i in at if isinstance(messages[i], AssistantMessage)), -1)


def starts(messages: Sequence[Message]) -> Iterator[int]:
    """Where what is kept may begin, the earliest first: at an answer, so that templates which want
    user and model to take turns find the summary before it; at last words; behind all."""
    yield from (at for at, one in enumerate(messages) if at and isinstance(one, AssistantMessage))
    at = len(messages)
    while at > 1 and not isinstance(messages[at - 1], AssistantMessage | ToolMessage):
        at -= 1
    yield at
    yield len(messages)
