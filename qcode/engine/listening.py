"""One request: what comes is shown at once, and ended when it goes wrong."""

import asyncio
from contextlib import aclosing
from typing import Literal

import msgspec

from qcode.engine.partial import Partial
from qcode.engine.parts import Parts
from qcode.protocol.events import (
    BudgetReached,
    MessageCompleted,
    Notice,
    ReasoningDelta,
    Retried,
    TextDelta,
    ToolCallDelta,
)
from qcode.server import tokens
from qcode.server.base import Answer, Request, Streamed
from qcode.server.budget import Budget
from qcode.server.closing import CLOSING
from qcode.server.family import LEVEL_TOKENS
from qcode.server.fields import limits, switches
from qcode.server.loops import Loop, Watch

Why = Literal["budget", "person", "loop"]


class Stopped(msgspec.Struct, frozen=True):
    """An answer that qcode ended while it came."""

    why: Why
    partial: Partial
    tokens: int
    """Generated so far, as counted or estimated."""
    loop: Loop | None = None


class Listener:
    """Listens to one answer: shows it, keeps it, counts its reasoning and looks for loops."""

    def __init__(self, parts: Parts, request: Request) -> None:
        self._parts = parts
        self._facts = parts.history.facts
        self.request = request
        self.partial = Partial(request.closed)
        self._watch = Watch()
        self._loop: Loop | None = None
        self._budget = self._new_budget()
        self._ended = False
        """The server was told to end the reasoning, or has ended it at the budget."""

    async def listen(self) -> Answer | Stopped:
        """Cancelled: what came so far is stored, so that nothing is read again."""
        try:
            async with aclosing(self._parts.server.stream(self.request)) as items:
                async for item in items:
                    if isinstance(item, Answer):
                        self._thought()
                        return item
                    self._parts.say(item)
                    if why := await self._take(item):
                        return Stopped(why, self.partial, self.tokens, self._loop)
        except asyncio.CancelledError:
            if message := self.partial.message():
                self._parts.say(MessageCompleted(message, 0, self.partial.seconds))
            raise
        finally:
            self._parts.haste.thinks = self._parts.haste.asked = False
        raise AssertionError("a stream ends with an Answer or an error")

    @property
    def tokens(self) -> int:
        """Generated so far."""
        if self._budget and not self.partial.acts:
            return self._budget.tokens
        behind = self.partial.reasoning[len(self.request.closed) :]
        return round(tokens.about(behind + self.partial.text))

    @property
    def is_kept_there(self) -> bool:
        """Whether the server was given the budget, to keep it itself."""
        return limits(self._facts, self.request) and not self.request.closed

    async def _take(self, item: Streamed) -> Why | None:
        """Note one item; why the answer is to be ended here, if it is."""
        self.partial.take(item)
        match item:
            case ReasoningDelta(text):
                return await self._think(item) or self._look("reasoning", text)
            case TextDelta(text):
                self._thought()
                return self._look("text", text)
            case ToolCallDelta(added=text):
                self._thought()
                return self._look("arguments", text)
            case Notice() if not self.partial.reasoning:  # it may have refused to keep the budget
                self._facts = await self._parts.server.facts()
                self._budget = self._new_budget()
            case Retried():  # what came is void
                self._watch, self._budget = Watch(), self._new_budget()
        return None

    async def _think(self, piece: ReasoningDelta) -> Why | None:
        if self.partial.acts:
            return None  # reasoning behind words cannot be closed
        haste = self._parts.haste
        haste.thinks = True
        used_up = self._budget and self._budget.feed(piece.text, piece.tokens_so_far, piece.pieces)
        if haste.asked:
            haste.asked = False
            return None if await self._ends() else "person"
        return "budget" if used_up and not self._is_closing() else None

    def _is_closing(self) -> bool:
        """Whether the server, which keeps the budget, writes the sentence that ends the reasoning:
        its tokens come on top."""
        tail = self.partial.reasoning[-2 * len(CLOSING) :]
        begun = CLOSING[: len(CLOSING) // 2] in tail
        return begun and limits(self._facts, self.request)

    async def _ends(self) -> bool:
        """Whether the server ends the reasoning by itself. It is asked once."""
        if self._ended or not await self._parts.server.end_reasoning():
            return False
        self._tell("person")
        return True

    def _thought(self) -> None:
        """The reasoning is at its end: was it the server that ended it, at the budget?"""
        if not self._parts.haste.thinks:
            return
        self._parts.haste.thinks = False
        if not self._ended and self.partial.reasoning.rstrip().endswith(CLOSING):
            self._tell("budget")

    def _tell(self, why: Literal["budget", "person"]) -> None:
        self._ended = True
        self._parts.say(BudgetReached(self.request.thinking_budget or 0, self.tokens, why))

    def _look(self, kind: Literal["reasoning", "text", "arguments"], text: str) -> Why | None:
        if self._parts.history.settings.loops == "off":
            return None
        self._loop = self._watch.feed(kind, text)
        return "loop" if self._loop else None

    def _new_budget(self) -> Budget | None:
        """None = nobody bounds it, or what comes as reasoning is to be an answer."""
        asked, taught = self.request.thinking_budget, self._parts.calibration
        if asked is None:
            return None
        native = self.is_kept_there
        if native or (asked and not self.request.closed):
            spared = 0 if native else self._spared(asked)
            return Budget(asked - spared, native=native, calibration=taught)
        wished = self._parts.history.settings.thinking_budget
        if wished or not switches(self._facts, self.request):  # it should not think, and may
            return Budget(max(wished, LEVEL_TOKENS[0]), calibration=taught)
        return None

    def _spared(self, budget: int) -> int:
        """Where a closed thinking can only begin once more, that is to have its share, too."""
        can_end = self._facts.continues or switches(self._facts, self.request)
        return 0 if can_end else second_share(budget)


def second_share(budget: int) -> int:
    """Of a budget, for the thinking behind one that was closed in vain."""
    return max(budget // 4, 1)
