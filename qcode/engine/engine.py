"""Inputs in, events out. Owns queues, log and cancellation; the loop itself is `turn.py`."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from qcode.engine.controls import Controls
from qcode.engine.limits import Limits, out_of_time
from qcode.engine.say import Say
from qcode.engine.turn import Turn
from qcode.protocol.errors import QcodeError, SessionNotSaved
from qcode.protocol.events import (
    FLEETING,
    AnyEvent,
    LoggedEvent,
    Notice,
    SessionStarted,
    StepStarted,
    ToolCallFinished,
    TurnFinished,
)
from qcode.protocol.inputs import Cancel, Compact, Input, Prompt, Queue, Steer
from qcode.protocol.messages import Image, Text, ToolMessage, UserMessage, user
from qcode.protocol.text import well_formed
from qcode.session.conversation import Conversation
from qcode.session.log import Log

LOG = logging.getLogger(__name__)
LOST = "No result: qcode ended while this call ran. Its effects, if any, are unknown."


class Stream:
    """Where events go: the log, the conversation, then the front end."""

    def __init__(self, log: Log | None, conversation: Conversation) -> None:
        self.log = log
        """None = nothing is kept (`--no-session`)."""
        self.conversation = conversation
        self.queue: asyncio.Queue[AnyEvent | None] = asyncio.Queue()
        self._held: list[LoggedEvent] | None = []
        """Events from before SessionStarted, which must head the log; None = it was said."""
        self._broken = False
        """The log failed once: what follows is only shown."""

    def say(self, event: AnyEvent) -> None:
        """See `say.Say`."""
        try:
            if not isinstance(event, FLEETING):
                self._keep(event)
        except SessionNotSaved as error:
            if not isinstance(event, TurnFinished):
                raise
            event = TurnFinished("error", str(error), type(error).__name__)  # told once, whatever
        finally:  # an answer that the log cannot hold is still shown
            self.queue.put_nowait(event)

    def _keep(self, event: LoggedEvent) -> None:
        if isinstance(event, SessionStarted):
            early, self._held = self._held or [], None
            for one in (event, *early):
                self._write(one)
        elif self._held is not None:
            self._held.append(event)
        else:
            self._write(event)

    def _write(self, event: LoggedEvent) -> None:
        self.conversation.apply(event)
        if self.log is None or self._broken:
            return
        try:
            self.log.append(event)
            if isinstance(event, StepStarted | TurnFinished):  # the end of a step
                self.log.flush()
        except SessionNotSaved:
            self._broken = True
            raise

    def flush(self) -> None:
        """What was said so far is on the disk when this returns."""
        if self.log is not None and not self._broken:
            self.log.flush()


@dataclass(frozen=True, slots=True)
class Begun:
    """What is known once the session has begun: the server answered, the workspace was read."""

    turn: Callable[[int, float], Turn]
    """By its number, and when its prompt was taken up (the loop's clock)."""
    opening: Callable[[str], str]
    """The first user message, made of the workspace's facts and the first prompt."""
    ready: Callable[[UserMessage], Awaitable[None]]
    """Before each turn: whoever is to answer it is there. Raises QcodeError; see `routing`."""
    compact: Callable[[str], Awaitable[None]]
    """Sum up the conversation, with words on what matters; see `compaction.Compactor.by_hand`."""


@dataclass(frozen=True, slots=True)
class Doors:
    """What the engine calls at the first prompt and at the end; `assemble` knows what is behind."""

    begin: Callable[[Say], Awaitable[Begun]]
    """Find the server, read the workspace, say SessionStarted. Raises QcodeError."""
    end: Callable[[], Awaitable[None]]
    """End all commands, close the connection."""
    limits: Limits


class Engine:
    """One session. `submit` inputs, read `events()`, `close` at the end."""

    def __init__(self, stream: Stream, doors: Doors, controls: Controls) -> None:
        self.stream = stream
        self._doors = doors
        self._controls = controls
        self._begun: Begun | None = None
        self._waiting: deque[UserMessage | Compact] = deque()
        self._task: asyncio.Task[None] | None = None
        self._works = False
        """The task has begun; cancelled before that, it would end without a word."""

    def submit(self, given: Input) -> None:
        """Take an input; never blocks, never raises. What it leads to comes as events."""
        try:
            self._take(given)
        except SessionNotSaved as error:  # what was asked for holds all the same
            self.stream.say(Notice("error", str(error)))

    def _take(self, given: Input) -> None:
        match given:
            case Prompt(text, images):
                self._prompt(_message(text, images))
            case Queue(text):
                self._prompt(_message(text))
            case Steer(text) if self._running:
                self._controls.steers.append(user(well_formed(text), "steer"))
            case Steer(text):
                self._prompt(_message(text))
            case Compact():
                self._prompt(given)
            case Cancel():
                self._cancel()
            case _:
                self._controls.take(given, "running" if self._running else "idle")

    async def events(self) -> AsyncIterator[AnyEvent]:
        """Everything that happens, until `close`."""
        while (event := await self.stream.queue.get()) is not None:
            yield event

    async def close(self) -> None:
        """Cancel the turn, end all commands, close the connection and the log."""
        self._waiting.clear()
        self._controls.steers.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            await self._doors.end()
        finally:  # also when closing is cancelled: the session must not stay locked
            if self.stream.log is not None:
                self.stream.log.close()
            self.stream.queue.put_nowait(None)

    @property
    def _running(self) -> bool:
        return self._task is not None and not self._task.done()

    def _prompt(self, given: UserMessage | Compact) -> None:
        self._waiting.append(given)
        if not self._running:
            self._works = False
            self._task = asyncio.get_running_loop().create_task(self._work())

    def _cancel(self) -> None:
        if self._task is None:
            return
        if self._works:
            self._task.cancel()
        else:  # behind the task's first step, which waits to be run already
            asyncio.get_running_loop().call_soon(self._task.cancel)

    async def _work(self) -> None:
        """Turns, one after another, while prompts wait."""
        self._works = True
        while self._waiting:
            given = self._waiting.popleft()
            _forget_cancel()
            try:
                if isinstance(given, Compact):
                    await self._compact(given.focus)
                else:
                    await self._turn(given)
            except QcodeError as error:
                self.stream.say(TurnFinished("error", str(error), type(error).__name__))
            except asyncio.CancelledError:  # before the turn began
                self.stream.say(TurnFinished("cancelled", "The turn was cancelled."))
            except Exception as error:  # the front end must learn of it, then it is a crash
                LOG.exception("the turn crashed")
                self.stream.say(TurnFinished("error", _crashed(error)))
                raise

    async def _turn(self, message: UserMessage) -> None:
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._doors.limits.max_wall_seconds):
                begun = self._begun = self._begun or await self._doors.begin(self.stream.say)
                await begun.ready(message)
        except TimeoutError:
            self.stream.say(out_of_time(self._doors.limits))
            return
        conversation = self.stream.conversation
        self._settle_dangling()
        if not conversation.messages:
            message = _opened(message, begun.opening)
        await begun.turn(conversation.turns + 1, began).run(message)
        self._take_late_steers()

    async def _compact(self, focus: str) -> None:
        """Between two turns; it is none itself, so nothing finishes."""
        try:
            self._begun = self._begun or await self._doors.begin(self.stream.say)
            self._settle_dangling()
            await self._begun.compact(focus)
        except QcodeError as error:
            self.stream.say(Notice("error", str(error)))
        except asyncio.CancelledError:
            self.stream.say(Notice("info", "Cancelled: the conversation is as it was."))
        self._take_late_steers()

    def _take_late_steers(self) -> None:
        """Steers that came when no step was left to take them begin the next turn."""
        self._waiting.extend(self._controls.steers)
        self._controls.steers.clear()

    def _settle_dangling(self) -> None:
        """A result for each call that a crash left without one."""
        for call in self.stream.conversation.dangling():
            self.stream.say(ToolCallFinished(ToolMessage(call.id, call.name, LOST, "cancelled")))


def _crashed(error: Exception) -> str:
    kind = type(error).__name__
    return f"qcode crashed ({kind}: {error}). The log file has more; `qcode paths` says where."


def _forget_cancel() -> None:
    """A cancelled turn is over: the count of its task must not end the next one's scopes."""
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()


def _message(text: str, images: tuple[Image, ...] = ()) -> UserMessage:
    return UserMessage((Text(well_formed(text)), *images))


def _opened(message: UserMessage, opening: Callable[[str], str]) -> UserMessage:
    images = tuple(part for part in message.parts if isinstance(part, Image))
    return UserMessage((Text(opening(message.text)), *images), message.origin)
