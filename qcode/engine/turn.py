"""The loop. A turn is one prompt until rest; a step is one answer and the calls it asked for."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from qcode.engine.accounting import Accounting
from qcode.engine.calls import Calls, Prepared, prepare
from qcode.engine.compaction import Compactor
from qcode.engine.history import History
from qcode.engine.limits import Limits, Spent, calls_left, out_of_time, reached, tokens_left
from qcode.engine.partial import Partial
from qcode.engine.say import Say
from qcode.engine.verify import Verify
from qcode.protocol.errors import ContextOverflow, QcodeError
from qcode.protocol.events import (
    MessageCompleted,
    Retried,
    Steered,
    StepStarted,
    TurnFinished,
    TurnStarted,
)
from qcode.protocol.messages import AssistantMessage, UserMessage, user
from qcode.server.base import Answer, Request, Streamed

EMPTY_TRIES = 3
"""An answer without words and calls is asked for again so many times in all, and never stored."""

CUT_TRIES = 2
"""An answer that hit the token limit is followed by a nudge so many times in a turn."""

CUT_NUDGE = (
    "Your last answer was cut off at the token limit; a call that it ended in did not run. Go on "
    "from there. Write a long file in parts: write the first part, then edit to append."
)


class Answers(Protocol):
    """The part of a server that a turn needs."""

    def stream(self, request: Request) -> AsyncGenerator[Streamed, None]:
        """See `server.base.Server.stream`."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a turn works with; the same for all turns of a session."""

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


class Turn:
    """One prompt until rest: ask the model, run what it calls, ask again."""

    def __init__(self, number: int, parts: Parts, began: float) -> None:
        self.number = number
        self.parts = parts
        self.began = began
        """By the loop's clock."""
        self.say = parts.say
        self.spent = Spent()
        self.cut = 0

    async def run(self, message: UserMessage) -> TurnFinished:
        """Step until the model asks for no more tools. Cancelling the task ends the turn tidily."""
        self.parts.accounting.new_turn = True
        self.parts.compactor.begin()
        if self.parts.verify:
            self.parts.verify.begin()
        self.say(TurnStarted(self.number, message))
        end = await self._guarded()
        self.say(end)
        return end

    async def _guarded(self) -> TurnFinished:
        limit = self.parts.limits.max_wall_seconds
        try:
            async with asyncio.timeout_at(None if limit is None else self.began + limit):
                return await self._steps()
        except TimeoutError:
            return out_of_time(self.parts.limits)
        except asyncio.CancelledError:
            return TurnFinished("cancelled", "The turn was cancelled.")
        except QcodeError as error:
            return TurnFinished("error", str(error), type(error).__name__)

    async def _steps(self) -> TurnFinished:
        """Answer, calls, answer, calls, until there is nothing left to do."""
        while (end := reached(self.parts.limits, self.spent)) is None:
            left = tokens_left(self.parts.limits, self.spent)
            await self.parts.compactor.before(self.spent, left)
            self.spent.steps += 1
            answer = await self._answer()
            if answer is None:
                return TurnFinished("empty", "The model ended its answer without words or calls.")
            end = await self._call(answer)
            heard = self._hear() + self._nudge(answer.message)
            if end is None and not heard and not answer.rows:
                end = await self._rest(answer.message)
            if end is not None:
                return end
        return end

    async def _answer(self) -> Prepared | None:
        """One answer with words or calls; None = there was none, also after the retries."""
        for attempt in range(1, EMPTY_TRIES + 1):
            self.say(StepStarted(self.number, self.spent.steps))
            answer = await self._fitting()
            self.spent.add(answer.usage)
            message = answer.message
            cut = message.finish == "length" and message.parts
            if message.text.strip() or message.calls or cut:
                return self._take(answer)
            if attempt < EMPTY_TRIES:
                self.say(Retried(attempt, "the model ended without words or calls", 0.0))
        return None

    async def _fitting(self) -> Answer:
        """One answer; a prompt that the server refuses for its length is made shorter once."""
        while True:
            try:
                return await self._ask()
            except ContextOverflow as error:
                left = tokens_left(self.parts.limits, self.spent)
                await self.parts.compactor.after(error, self.spent, left)

    async def _ask(self) -> Answer:
        """Stream one answer. Cancelled: what came so far is kept, so that nothing is read again."""
        partial, left = Partial(), tokens_left(self.parts.limits, self.spent)
        try:
            async with aclosing(
                self.parts.server.stream(self.parts.history.request(left))
            ) as items:
                async for item in items:
                    if isinstance(item, Answer):
                        return item
                    partial.take(item)
                    self.say(item)
        except asyncio.CancelledError:
            if message := partial.message():
                self.say(MessageCompleted(message, 0, partial.seconds))
            raise
        raise AssertionError("a stream ends with an Answer or an error")

    def _take(self, answer: Answer) -> Prepared:
        """Mend what can be mended, then store: the history holds only valid calls."""
        prepared = prepare(answer.message, self.parts.calls.tools)
        epoch = self.parts.history.conversation.epoch
        usage = self.parts.accounting.account(answer.usage, epoch)
        message = MessageCompleted(prepared.message, usage.prompt_tokens or 0, answer.seconds)
        try:
            for repair in prepared.repairs:
                self.say(repair)
            self.say(usage)
        finally:  # a log that cannot hold these must not cost the person the answer
            self.say(message)
        return prepared

    async def _call(self, answer: Prepared) -> TurnFinished | None:
        """Run the calls of an answer; the end of the turn when there were too many."""
        left = calls_left(self.parts.limits, self.spent)
        tally = await self.parts.calls.run(answer.rows, left)
        self.spent.tool_calls += tally.ran
        all_denied = bool(answer.rows) and tally.denied == len(answer.rows)
        self.spent.denied_steps = self.spent.denied_steps + 1 if all_denied else 0
        if self.parts.verify:
            self.parts.verify.take(tally.edited, tally.commands)
        if tally.left_out:
            limit = self.parts.limits.max_tool_calls
            return TurnFinished("max_tool_calls", f"The limit of {limit} tool calls was reached.")
        return None

    def _hear(self) -> int:
        """Append what the person said meanwhile, after the last tool result; how much it was."""
        heard = list(self.parts.steers)
        self.parts.steers.clear()
        for message in heard:
            self.say(Steered(message))
        return len(heard)

    def _nudge(self, answer: AssistantMessage) -> int:
        """Tell the model that its answer was cut off, not too often; how much was said."""
        if answer.finish != "length" or self.cut >= CUT_TRIES:
            return 0
        self.cut += 1
        self.say(Steered(user(CUT_NUDGE, "nudge")))
        return 1

    async def _rest(self, answer: AssistantMessage) -> TurnFinished | None:
        """The end of the turn, or None when something was said that the model must answer."""
        if answer.finish == "length":
            return TurnFinished("max_tokens", "The answer was cut off at the token limit.")
        if self.parts.verify:
            return await self.parts.verify.check(self.say)
        return TurnFinished("end_turn")
