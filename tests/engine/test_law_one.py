"""Law 1: a request, rendered, begins with the request before it and what the model answered."""

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import count, pairwise, permutations
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings

from qcode.assemble import Start
from qcode.engine.history import History, Tweak
from qcode.engine.nudges import CUT, ENOUGH, nudge
from qcode.engine.partial import Partial, worded
from qcode.engine.prepare import prepare
from qcode.engine.prompt import system_text
from qcode.engine.settings import Settings
from qcode.protocol.events import (
    AnyEvent,
    BudgetReached,
    LoggedEvent,
    MessageCompleted,
    ReasoningDelta,
    SessionStarted,
    Steered,
    StepStarted,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    TurnStarted,
)
from qcode.protocol.inputs import Cancel, EndReasoning, Input, SetThinking, Steer
from qcode.protocol.messages import AssistantMessage, Reasoning, Text, ToolCall, ToolMessage, user
from qcode.server import continuing
from qcode.server.base import ServerFacts, Strategy
from qcode.server.closing import CLOSING, closed
from qcode.session.conversation import Conversation, fold
from qcode.session.store import Store
from qcode.tools.builtin import BUILTIN
from qcode.tools.schema import spec
from tests.engine.plans import (
    FILLER,
    ODD,
    SIMPLE,
    Ask,
    Fate,
    Seen,
    Step,
    Turn,
    check,
    turns,
)
from tests.engine.rig import YOLO, configured, rig, started
from tests.support.llama_words import About
from tests.support.render import Style
from tests.support.script import Body, Reply
from tests.support.scripted_server import ScriptedServer

Session = tuple[Turn, ...]

Behind = Literal["continued", "told"]
"""What the request behind closed reasoning is: see `plans.Fate`."""


# Beside the answers that are kept as they came, these are closed: by a budget, a person, a limit of
# the server, a loop in the reasoning. The request that goes on behind one obeys the law like any
# other. Of the other rungs against loops nothing that was generated stays, so nothing is promised:
# they send the request before them again.


@pytest.mark.parametrize("behind", ["continued", "told"])
@pytest.mark.parametrize(
    ("strategy", "style"), [("fold", "3.5"), ("fold", "3.6"), ("native", "3.6")]
)
@given(session=turns(ODD))
def test_a_history_only_grows_whatever_it_holds(
    strategy: Strategy, style: Style, behind: Behind, session: Session
) -> None:
    for before, after in pairwise(Teller(strategy, behind).tell(session)):
        check(before, after, style)


@pytest.mark.parametrize(
    ("style", "build"), [("3.5", "b11549"), ("3.6", "b11549"), ("3.5", "b9100"), ("3.6", "b9100")]
)
@settings(max_examples=20)
@given(session=turns(SIMPLE))
async def test_the_engine_only_ever_appends_to_what_it_sent(
    style: Style, build: str, session: Session
) -> None:
    """The older build does not go on behind closed reasoning."""
    with ScriptedServer(about=About(kind="llamacpp", style=style, build=build)) as server:
        with tempfile.TemporaryDirectory() as folder:
            kept = await Player(server, Path(folder)).play(session)
        server.check()
    bodies = [request.body for request in server.requests]
    seen = [Seen(body, reply) for body, reply in zip(bodies, kept, strict=True)]
    for before, after in pairwise(seen):
        check(before, after, style)
        assert after.body["tools"] == before.body["tools"]


def test_plain_breaks_the_law_at_a_new_question() -> None:
    """Else the others would prove nothing."""
    step = Step((Ask(Reply("Words.", "Thoughts.")),), 2000)
    first, second, _ = Teller("plain", "told").tell((Turn("one", (step,)), Turn("two", (step,))))
    with pytest.raises(AssertionError):
        check(first, second, "3.5")


class Teller:
    """Tells a session to a conversation, as the engine's loop does, and notes each request."""

    def __init__(self, strategy: Strategy, behind: Behind) -> None:
        base = ("llamacpp", "b11549", "http://127.0.0.1:1/v1", "qwen3.5", ("qwen3.5",), 262_144)
        self._facts = ServerFacts(*base, strategy, "", "reasoning_content")
        self._settings = Settings("auto", "qwen3.5", 0)
        self._behind = behind
        self._tweak = Tweak()
        self._ids = count(1)
        self._seen: list[Seen] = []
        self._events: list[LoggedEvent] = []
        self._begin(Conversation())

    def tell(self, session: Session) -> list[Seen]:
        """All requests, and one more behind the last answer."""
        for number, turn in enumerate(session, 1):
            if turn.resumed:
                self._begin(fold(self._events))
            words = turn.prompt if number > 1 else f"<workspace>\n</workspace>\n\n{turn.prompt}"
            self._say(TurnStarted(number, user(words)))
            for step in turn.steps:
                self._settings.thinking_budget = step.budget
                for ask in step.asks:
                    self._seen.append(Seen(self._body(), self._answer(ask, turn.order)))
        self._say(TurnStarted(len(session) + 1, user("Go on.")))
        return [*self._seen, Seen(self._body(), None)]

    def _begin(self, talk: Conversation) -> None:
        """What an engine does first; a session that goes on may lack results of calls."""
        self._talk = talk
        specs = tuple(spec(tool) for tool in BUILTIN)
        start = ("s", "0.1.0", "/w", "qwen3.5", "llamacpp b1", system_text(), specs, "auto")
        self._say(SessionStarted(*start))
        self._history = History(talk, self._facts, self._settings)
        for call in talk.dangling():
            self._say(ToolCallFinished(ToolMessage(call.id, call.name, "lost", "cancelled")))

    def _say(self, event: LoggedEvent) -> None:
        self._events.append(event)
        self._talk.apply(event)

    def _body(self) -> Body:
        asked = self._history.request(None, self._tweak)
        return {"tools": asked.tools, **continuing.body(self._facts, asked)}

    def _answer(self, ask: Ask, order: int) -> Reply | None:
        """Take the answer in; what is kept of it."""
        if ask.fate == "void":
            return None
        if ask.fate == "closed":
            return self._close(ask.reply.reasoning.rstrip())
        tweak, self._tweak = self._tweak, Tweak()
        if ask.fate == "cancelled":
            return self._cut(ask.reply, order)
        message = self._message(ask.reply)
        if tweak.closed:
            message = continuing.whole(message, tweak.closed)
        stored = prepare(message, BUILTIN).message
        self._say(MessageCompleted(stored, 0, 0.0))
        self._results(stored, order, ask.fate)
        if ask.steer:
            self._say(Steered(user(ask.steer, "steer")))
        if ask.reply.finish == "length":
            self._say(nudge(CUT))
        return ask.reply

    def _close(self, thought: str) -> Reply:
        """As `engine.asking` does."""
        if self._behind == "continued":
            self._tweak = Tweak(closed=closed(thought))
        else:
            kept = worded(AssistantMessage((Reasoning(thought),), "closed"))
            self._say(MessageCompleted(kept, 0, 0.0))
            self._say(nudge(ENOUGH))
            self._tweak = Tweak(thinking_budget=0)
        return Reply(reasoning=thought)

    def _message(self, reply: Reply) -> AssistantMessage:
        reasoning = (Reasoning(reply.reasoning),) if reply.reasoning.strip() else ()
        text = (Text(reply.text),) if reply.text.strip() else ()
        calls = (ToolCall(f"c{next(self._ids)}", call.name, call.text) for call in reply.calls)
        return AssistantMessage((*reasoning, *text, *calls))

    def _results(self, message: AssistantMessage, order: int, fate: Fate) -> None:
        """In any order; a process that ends among them leaves some out."""
        orders = list(permutations(message.calls))
        calls = orders[order % len(orders)]
        for call in calls[:order] if fate == "calls_cancelled" else calls:
            self._say(ToolCallFinished(ToolMessage(call.id, call.name, call.arguments)))

    def _cut(self, reply: Reply, order: int) -> Reply | None:
        partial = Partial()
        partial.take(ReasoningDelta(reply.reasoning if order % 2 else reply.reasoning[:order]))
        partial.take(TextDelta(reply.text[:order] if order % 2 else ""))
        if (message := partial.message()) is None:
            return None
        self._say(MessageCompleted(message, 0, 0.0))
        return Reply(message.text, message.reasoning)


class Player:
    """Plays a session to real engines over HTTP; a person speaks when the server hears."""

    def __init__(self, server: ScriptedServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._loop = asyncio.get_running_loop()
        self._asks: list[Ask] = []
        self._budgets: list[int] = []
        self._shown: dict[int, Reply] = {}
        """By the number of the request: what a person saw of an answer that they cancelled."""
        self._thinking = ""
        """What was shown of the running reasoning."""
        self._thoughts: list[str] = []
        """All that was shown of each reasoning that was ended."""

    async def play(self, session: Session) -> list[Reply | None]:
        """What was kept of each answer."""
        self._script(session)
        store = Store(self._folder / "sessions")
        log, talk = store.create(self._folder), Conversation()
        for part in _parts(session):
            if self._server.requests:
                resumed = store.resume(log.session_id)
                log, talk = resumed.log, fold(resumed.opened.events)
            await self._sit(part, started(self._folder, log=log, conversation=talk))
        return [self._kept(number, ask) for number, ask in enumerate(self._asks)]

    async def _sit(self, session: Session, start: Start) -> None:
        """One process."""
        config = configured(self._server.base_url, permission=YOLO)
        async with rig(config, start) as self._run:
            self._run.engine.submit(SetThinking(session[0].steps[0].budget))
            for turn in session:
                await self._run.turn(turn.prompt, self._on)

    def _script(self, session: Session) -> None:
        for turn in session:
            for step in turn.steps:
                for ask in step.asks:
                    self._server.add(partial(self._hear, len(self._asks)))
                    self._asks.append(ask)
                    self._budgets.append(step.budget)

    def _hear(self, number: int, body: Body) -> Reply:
        """Called in the server's thread, before it answers."""
        self._loop.call_soon_threadsafe(self._speak, number)
        return self._asks[number].reply

    def _speak(self, number: int) -> None:
        if self._asks[number].steer:
            self._run.engine.submit(Steer(self._asks[number].steer))
        for budget in self._budgets[number + 1 : number + 2]:
            self._run.engine.submit(SetThinking(budget))

    def _on(self, event: AnyEvent) -> Input | None:
        number = len(self._server.requests) - 1
        ask = self._asks[max(number, 0)]
        fate = ask.fate if number >= 0 else "kept"
        self._follow(event)
        match event:
            case ReasoningDelta() if fate == "closed" and ask.why == "person":
                return EndReasoning()
            case TextDelta(text) | ReasoningDelta(text) if fate == "cancelled":
                shown = self._shown.get(number, Reply())
                field = "text" if isinstance(event, TextDelta) else "reasoning"
                self._shown[number] = replace(shown, **{field: getattr(shown, field) + text})
                return Cancel()
            case ToolCallStarted() if fate == "calls_cancelled":
                return Cancel()
        return None

    def _follow(self, event: AnyEvent) -> None:
        match event:
            case StepStarted():
                self._thinking = ""
            case ReasoningDelta(text):
                self._thinking += text
            case BudgetReached():
                self._thoughts.append(self._thinking)

    def _closed(self, number: int, ask: Ask) -> Reply:
        """What was kept of a reasoning that was ended: all that was shown, but for the loop."""
        if ask.why == "limit":
            return ask.reply
        shown = self._thoughts.pop(0)
        if ask.why != "loop":
            return Reply(reasoning=shown)
        sent = self._server.requests[number + 1].messages
        last = next(one for one in reversed(sent) if one["role"] == "assistant")
        good = str(last["reasoning_content"]).removesuffix(CLOSING).rstrip()
        assert shown.strip().startswith(good)
        assert "cache" not in good[len(FILLER) + 100 :]
        return Reply(reasoning=good)

    def _kept(self, number: int, ask: Ask) -> Reply | None:
        match ask.fate:
            case "void":
                return None
            case "closed":
                return self._closed(number, ask)
            case "cancelled":
                shown = self._shown[number]
                return shown if (shown.text + shown.reasoning).strip() else None
        return ask.reply


def _parts(session: Session) -> Iterator[Session]:
    """A session cut where another process goes on with it."""
    ends = [place for place, turn in enumerate(session) if turn.resumed] + [len(session)]
    for start, end in pairwise([0, *ends]):
        yield session[start:end]
