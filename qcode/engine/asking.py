"""One answer, whatever it takes.

A model may think past its budget, repeat itself, or end without having said anything. Then its
reasoning is closed and it goes on behind it, or the question is asked again in another way. What
to do is chosen by `ladder` and `remedies`; here it is done.
"""

import msgspec
from msgspec.structs import replace
from msgspec.structs import replace as with_fields

from qcode.engine.history import Tweak
from qcode.engine.ladder import Ladder, Place, changed, words
from qcode.engine.limits import Spent, tokens_left
from qcode.engine.listening import Listener, Stopped, second_share
from qcode.engine.nudges import ENOUGH, nudge, recalled
from qcode.engine.partial import worded
from qcode.engine.parts import Parts
from qcode.engine.remedies import (
    KIND,
    WORDS,
    Again,
    GoOn,
    Remedies,
    Setting,
    did,
    fault,
)
from qcode.engine.settings import ANSWER_TOKENS
from qcode.protocol.errors import ContextOverflow
from qcode.protocol.events import (
    BudgetReached,
    LoopSeen,
    MessageCompleted,
    Notice,
    Repaired,
    Retried,
    TurnFinished,
)
from qcode.protocol.messages import AssistantMessage, Reasoning
from qcode.server.base import Answer, Request
from qcode.server.closing import closed
from qcode.server.family import LEVEL_TOKENS
from qcode.server.fields import switches
from qcode.server.loops import Loop
from qcode.server.quirks import of

GO_ON, STOP = "go on", "stop"
ENDLESS = (
    "The model thought past its budget again, though it was told to act, and this server has no "
    "way to end its thinking that works. Give it more (--think), or serve it with llama-server, "
    "vLLM or Ollama, which have one."
)


class Before(msgspec.Struct, frozen=True):
    """What the part of an answer took that came before its last request."""

    tokens: int = 0
    seconds: float = 0.0


class Asking:
    """Asks for the answers of one turn."""

    def __init__(self, parts: Parts, spent: Spent) -> None:
        self._parts = parts
        self._spent = spent
        self._ladder = Ladder()
        self._remedies = Remedies()
        self._tweak = Tweak()
        """Of the next request."""
        self._is_kept = False
        """Thinking was ended, and stands as a message of its own in front of the next answer."""

    async def ask(self) -> Answer | TurnFinished | None:
        """One answer. None = it was void, or only thought: ask again, it will be otherwise."""
        tweak, self._tweak = self._tweak, Tweak()
        before = Before()
        while True:
            listener, heard = await self._hear(tweak, before)
            match await self._judge(listener, heard, tweak):
                case Answer() as answer:
                    self._remedies, self._is_kept = Remedies(), False
                    return _whole(answer, before)
                case GoOn(thought) if await self._continues():
                    before = _carried(thought, listener, heard)
                    tweak = replace(tweak, closed=closed(thought))
                case GoOn() if self._is_kept and not _is_wanted(heard):
                    return TurnFinished("empty", ENDLESS)
                case GoOn(thought):
                    self._keep(thought, listener.partial.seconds)
                    self._tweak = replace(tweak, thinking_budget=self._rest(listener))
                    return None
                case Again(otherwise):
                    self._tweak = otherwise
                    return None
                case TurnFinished() as end:
                    return end

    async def repeated(self, detail: str) -> TurnFinished | None:
        """The model makes one call again and again, and the result has told it so."""
        thinks = self._parts.history.settings.thinking_budget > 0
        rung = self._ladder.climb(Place(can_tell=True, penalty=None, thinks=thinks))
        said = "the result says so" if rung == 1 else words(rung)
        self._parts.say(LoopSeen("calls", detail, said, rung))
        if rung == 0:
            move = await self._stuck(detail)
            return move if isinstance(move, TurnFinished) else None
        self._tweak = Tweak() if rung == 1 else changed(Tweak(), rung)
        return None

    async def _hear(self, tweak: Tweak, before: Before) -> tuple[Listener, Answer | Stopped]:
        """A prompt that the server refuses for its length is made shorter once."""
        while True:
            listener = Listener(self._parts, self._request(tweak, before))
            try:
                return listener, await listener.listen()
            except ContextOverflow as error:
                await self._parts.compactor.after(error, self._spent, self._left)

    def _request(self, tweak: Tweak, before: Before) -> Request:
        """What the reasoning took of the answer's bound, the rest of it cannot have; but a little
        it may always."""
        asked = self._parts.history.request(self._left, tweak)
        if asked.max_tokens is None or not before.tokens:
            return asked
        least = min(asked.max_tokens, ANSWER_TOKENS)
        return replace(asked, max_tokens=max(least, asked.max_tokens - before.tokens))

    @property
    def _left(self) -> int | None:
        return tokens_left(self._parts.limits, self._spent)

    async def _judge(
        self, listener: Listener, heard: Answer | Stopped, tweak: Tweak
    ) -> Answer | GoOn | Again | TurnFinished:
        """What comes of it: the answer as it is, or the next move."""
        if isinstance(heard, Answer):
            self._spent.add(heard.usage)
            return await self._mended(listener, heard, tweak)
        self._spent.tokens += heard.tokens
        if heard.loop:
            return await self._out_of(heard.loop, listener, heard, tweak)
        budget = listener.request.thinking_budget or 0
        self._parts.say(BudgetReached(budget, heard.tokens, heard.why))
        if (
            heard.why == "budget"
            and listener.is_kept_there
            and (told := self._parts.history.not_kept())
        ):
            self._parts.say(Notice("warning", told))
        return GoOn(heard.partial.reasoning)

    async def _mended(
        self, listener: Listener, answer: Answer, tweak: Tweak
    ) -> Answer | GoOn | Again | TurnFinished:
        found = fault(answer, acts=listener.partial.acts)
        if not found:
            _learn(self._parts, answer, listener)
            return answer
        move = self._remedies.next(found, answer, await self._setting(listener.request, tweak))
        if not isinstance(move, TurnFinished) and not answer.flaw:  # the reader has told of that
            self._parts.say(Repaired(f"{WORDS[found]}: {did(move)}", kind=KIND[found]))
        if isinstance(move, Again):
            self._parts.say(Retried(self._remedies.tries, WORDS[found], 0.0))
        return move or answer

    async def _setting(self, request: Request, tweak: Tweak) -> Setting:
        return Setting(
            tweak,
            continues=await self._continues(),
            thinks=_thinks(request, tweak),
            varies=request.sampling.get("temperature") != 0,
        )

    async def _continues(self) -> bool:
        return (await self._parts.server.facts()).continues

    async def _out_of(
        self, loop: Loop, listener: Listener, heard: Stopped, tweak: Tweak
    ) -> GoOn | Again | TurnFinished:
        """A loop was seen in what streamed: climb the ladder."""
        rung = self._ladder.climb(self._place(loop, listener, tweak))
        good = loop.good(heard.partial.reasoning) if rung == 1 else ""
        cost = heard.tokens - _share(good, heard)
        self._parts.say(LoopSeen(loop.kind, loop.detail, words(rung), rung, cost))
        if rung == 0:
            return await self._stuck(loop.detail)
        if rung > 1:
            return Again(changed(tweak, rung))
        budget = listener.request.thinking_budget or 0
        self._parts.say(BudgetReached(budget, heard.tokens, "loop"))
        return GoOn(good)

    def _place(self, loop: Loop, listener: Listener, tweak: Tweak) -> Place:
        facts, request = self._parts.history.facts, listener.request
        name = of(facts.kind, facts.version).sampling.get("presence_penalty")
        is_heeded = name and name not in facts.refused and "presence_penalty" not in facts.unheeded
        penalty = float(request.sampling.get("presence_penalty", 0.0))
        return Place(
            can_tell=loop.kind == "reasoning" and not listener.partial.acts,
            penalty=penalty if is_heeded else None,
            thinks=_thinks(request, tweak) and switches(facts, request),
        )

    async def _stuck(self, detail: str) -> Again | TurnFinished:
        """Nothing is left to try but what the person says."""
        end = TurnFinished("loop", f"The model repeats itself, whatever is tried: {detail}")
        if self._parts.ask is None:
            return end
        question = f"The model keeps repeating itself ({detail}). Shall it go on?"
        if (await self._parts.ask(question, (GO_ON, STOP))).strip().casefold() != GO_ON:
            return end
        self._ladder.start_over()
        return Again(Tweak())

    def _rest(self, listener: Listener) -> int:
        """The thinking budget behind what is kept: none, where that can be."""
        if switches(self._parts.history.facts, listener.request):
            return 0
        return second_share(listener.request.thinking_budget or LEVEL_TOKENS[0])

    def _keep(self, thought: str, seconds: float) -> None:
        """The reasoning as a message of its own, and a word to act on it: for a server that cannot
        go on behind it."""
        self._is_kept = True
        thought = thought.rstrip()
        if thought and not self._parts.history.facts.reasoning_field:
            self._parts.say(nudge(recalled(thought)))
            return
        if thought:
            kept = worded(AssistantMessage((Reasoning(thought),), "closed"))
            self._parts.say(MessageCompleted(kept, 0, seconds))
        self._parts.say(nudge(ENOUGH))


def _is_wanted(heard: Answer | Stopped) -> bool:
    """By a person, who may say so as often as they like."""
    return isinstance(heard, Stopped) and heard.why == "person"


def _thinks(request: Request, tweak: Tweak) -> bool:
    """Whether thinking can be turned off still: some models think at any budget."""
    return bool(request.thinking_budget) and tweak.thinking_budget != 0


def _share(thought: str, heard: Stopped) -> int:
    """Tokens of the part of the reasoning that is kept."""
    return round(heard.tokens * len(thought) / max(len(heard.partial.reasoning), 1))


def _carried(thought: str, listener: Listener, heard: Answer | Stopped) -> Before:
    if isinstance(heard, Stopped):
        return Before(_share(thought, heard), heard.partial.seconds)
    return Before(heard.usage.generated_tokens or listener.tokens, heard.seconds)


def _whole(answer: Answer, before: Before) -> Answer:
    """The answer with what its first part took: generated, though it was sent as a prompt then."""
    if not before.tokens:
        return answer
    usage = answer.usage
    if usage.prompt_tokens is not None and usage.generated_tokens is not None:
        prompt = max(0, usage.prompt_tokens - before.tokens)
        cached = None if usage.cached_tokens is None else min(usage.cached_tokens, prompt)
        generated = usage.generated_tokens + before.tokens
        usage = with_fields(
            usage, prompt_tokens=prompt, cached_tokens=cached, generated_tokens=generated
        )
    return replace(answer, usage=usage, seconds=answer.seconds + before.seconds)


def _learn(parts: Parts, answer: Answer, listener: Listener) -> None:
    """What the server counted corrects our counting of the next answers."""
    if listener.request.closed or answer.message.finish == "length":
        return
    message = answer.message
    calls = "".join(call.name + call.arguments for call in message.calls)
    parts.calibration.learn(message.reasoning + message.text + calls, answer.usage.generated_tokens)
