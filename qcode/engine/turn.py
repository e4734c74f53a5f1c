"""The loop. A turn is one prompt until rest; a step is one answer and the calls it asked for."""

import asyncio

from qcode.engine.asking import Asking
from qcode.engine.calls import Tally
from qcode.engine.limits import Spent, at_limit, calls_left, out_of_time, reached, tokens_left
from qcode.engine.nudges import Nudger, nudge
from qcode.engine.partial import worded
from qcode.engine.parts import Parts
from qcode.engine.prepare import Prepared, prepare
from qcode.protocol.errors import QcodeError, ServerGone
from qcode.protocol.events import (
    MessageCompleted,
    Steered,
    StepStarted,
    TurnFinished,
    TurnStarted,
)
from qcode.protocol.messages import UserMessage
from qcode.server.base import Answer
from qcode.tools.structured import MISSING


class Turn:
    """One prompt until rest: ask the model, run what it calls, ask again."""

    def __init__(self, number: int, parts: Parts, began: float) -> None:
        self.number = number
        self.parts = parts
        self.began = began
        """By the loop's clock."""
        self.say = parts.say
        self.spent = Spent()
        self.asking = Asking(parts, self.spent)
        self.nudger = Nudger()

    async def run(self, message: UserMessage) -> TurnFinished:
        """Step until the model asks for no more tools. Cancelling the task ends the turn tidily."""
        self.parts.accounting.new_turn = True
        self.parts.compactor.begin()
        if self.parts.verify:
            self.parts.verify.begin()
        if self.parts.wanted:
            self.parts.wanted.begin()
        self.say(TurnStarted(self.number, message))
        end = await self._guarded()
        if end.reason != "cancelled":
            await self.parts.elsewhere.renew("turn")
        await self.parts.rest()
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
            await self.parts.elsewhere.renew("step")
            await self.parts.compactor.before(
                self.spent, tokens_left(self.parts.limits, self.spent)
            )
            self.spent.steps += 1
            budget = self.parts.history.asks().thinking_budget
            self.say(StepStarted(self.number, self.spent.steps, budget))
            answer = await self._ask()
            if isinstance(answer, TurnFinished):
                return answer
            if answer is not None and (end := await self._take(answer)):
                return end
        return end

    async def _ask(self) -> Answer | TurnFinished | None:
        """See `Asking.ask`; None also when the server is gone and another one answers now."""
        try:
            return await self.asking.ask()
        except ServerGone as error:
            await self.parts.elsewhere.gone(error)
            return None

    async def _take(self, answer: Answer) -> TurnFinished | None:
        """Store an answer, run its calls, say what is to be said before the next request."""
        prepared = self._store(answer)
        end = await self._call(prepared)
        said = self._hear() or self._nudge(answer)
        if end is None and not said and (self._has_given() or not prepared.rows):
            end = await self._rest(answer)
        return end or self._given_up()

    def _store(self, answer: Answer) -> Prepared:
        """Mend what can be mended, then store: the history holds only valid calls."""
        prepared = prepare(worded(answer.message), self.parts.calls.tools)
        epoch = self.parts.history.conversation.epoch
        usage = self.parts.accounting.account(answer.usage, epoch)
        message = MessageCompleted(prepared.message, usage.prompt_tokens or 0, answer.seconds)
        try:
            for repair in prepared.repairs:
                self.say(repair)
            self.say(usage)
        finally:  # a log that cannot hold these must not cost the person the answer
            if prepared.message.parts:  # cut off in its first call, it has none
                self.say(message)
        return prepared

    async def _call(self, answer: Prepared) -> TurnFinished | None:
        """Run the calls of an answer; the end of the turn when there were too many."""
        tally = Tally()
        self.parts.calls.begin(self.number, self.parts.history.conversation.epoch)
        try:
            await self.parts.calls.run(
                answer.rows, calls_left(self.parts.limits, self.spent), tally
            )
        finally:  # what a cancelled step has edited is to be verified too
            if self.parts.verify:
                self.parts.verify.take(tally.edited, tally.commands)
        self.spent.tool_calls += tally.ran
        all_denied = bool(answer.rows) and tally.denied == len(answer.rows)
        self.spent.denied_steps = self.spent.denied_steps + 1 if all_denied else 0
        if tally.left_out:
            most = self.parts.limits.max_tool_calls or 0
            return TurnFinished("max_tool_calls", at_limit(most, "tool call"))
        return await self.asking.repeated(tally.repeated) if tally.repeated else None

    def _hear(self) -> bool:
        """Append what the person said meanwhile, after the last tool result; whether it was any."""
        heard = list(self.parts.steers)
        self.parts.steers.clear()
        for message in heard:
            self.say(Steered(message))
        if heard and self.parts.wanted:
            self.parts.wanted.begin()  # a value from before these words holds no more
        return bool(heard)

    def _nudge(self, answer: Answer) -> bool:
        """Tell the model that its answer was cut off, or that it did nothing; whether it was."""
        nudges = self.nudger.after(answer)
        for event in nudges:
            self.say(event)
        return bool(nudges)

    def _has_given(self) -> bool:
        """Whether the value that was asked for is there."""
        return self.parts.wanted is not None and self.parts.wanted.is_there

    def _given_up(self) -> TurnFinished | None:
        """The end of a turn in which the model gave no value that fits, as often as it may try."""
        if self.parts.wanted is None or not self.parts.wanted.is_hopeless:
            return None
        return TurnFinished("structured", "The model gave no result that fits the schema.")

    def _asked_for(self) -> bool:
        """Whether the model was told that the value is missing."""
        wanted = self.parts.wanted
        if wanted is None or wanted.is_there:
            return False
        wanted.missed += 1
        if not wanted.is_hopeless:
            self.say(nudge(MISSING))
        return True

    async def _rest(self, answer: Answer) -> TurnFinished | None:
        """The end of the turn, or None when something was said that the model must answer."""
        if answer.message.finish == "length":
            return TurnFinished("max_tokens", "The answer was cut off at the token limit.")
        if self._asked_for():
            return None
        if undone := self.nudger.vain(answer):
            return TurnFinished("idle", undone)
        if self.parts.verify is None:
            return TurnFinished("end_turn")
        end = await self.parts.verify.check(self.say)
        if end is None:
            await self.parts.elsewhere.failed()
            if self.parts.wanted:
                self.parts.wanted.begin()  # what it says of the work holds no more
        return end
