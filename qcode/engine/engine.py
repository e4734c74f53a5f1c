"""Inputs in, events out. Owns the queue of what is to be done, and cancellation.

The loop itself is `turn.py`; what only changes something is in `controls.py`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator

from qcode.engine.cancelling import forget_cancel
from qcode.engine.controls import Controls
from qcode.engine.doors import Begun, Doors
from qcode.engine.heading import headed, said
from qcode.engine.limits import out_of_time
from qcode.engine.own import OwnCommands
from qcode.engine.returning import all_back, last_back
from qcode.engine.stream import Stream
from qcode.permission.modes import Mode
from qcode.protocol.errors import QcodeError, SessionNotSaved
from qcode.protocol.events import (
    AnyEvent,
    NotBegun,
    Notice,
    Returned,
    ToolCallFinished,
    TurnFinished,
)
from qcode.protocol.inputs import (
    Begin,
    Cancel,
    Compact,
    Input,
    Prompt,
    Queue,
    Redo,
    Rewind,
    RunShell,
    SetModel,
    Steer,
    Undo,
    Unqueue,
)
from qcode.protocol.messages import ToolMessage, UserMessage
from qcode.protocol.text import well_formed

LOG = logging.getLogger(__name__)
LOST = "No result: qcode ended while this call ran. Its effects, if any, are unknown."

Work = UserMessage | Compact | Begin | SetModel | Undo | Redo | Rewind
"""What takes its time: it is done one after another."""


class Engine:
    """One session. `submit` inputs, read `events()`, `close` at the end."""

    def __init__(
        self,
        stream: Stream,
        doors: Doors,
        controls: Controls,
        commands: OwnCommands,
        tools: tuple[str, ...] = (),
    ) -> None:
        self.tools = tools  # names of what the model is offered
        self.stream = stream
        self._doors = doors
        self._controls = controls
        self._steers = controls.steers
        self._commands = commands
        self._begun: Begun | None = None
        self._waiting: deque[Work] = deque()
        self._now: Work | None = None
        """What is being done, or was done last."""
        self._task: asyncio.Task[None] | None = None
        self._works = False
        """The task has begun; cancelled before that, it would end without a word."""
        self._closed = False
        """Or about to be: what is begun now, nobody would end."""

    @property
    def mode(self) -> Mode:
        """The permission mode as it is now."""
        return self._controls.settings.mode

    def submit(self, given: Input) -> None:
        """Take an input; never blocks, never raises. What it leads to comes as events; behind
        `close` nothing does."""
        if self._closed:
            return
        try:
            self._take(given)
        except SessionNotSaved as error:  # what was asked for holds all the same
            self.stream.say(Notice("error", str(error)))

    def _take(self, given: Input) -> None:
        match given:
            case Prompt(text, images):
                self._add(said(text, images))
            case Queue(text):
                self._add(said(text))
            case Steer(text) if self._turns:
                self._controls.steer(well_formed(text))
            case Steer(text):
                self._add(said(text))
            case Begin():
                if self._begun is None and not self._running:
                    self._add(given)
            case SetModel() if not self._turns and (self._begun or self._running):
                self._add(given)
            case Compact():
                self._add(given)
            case Undo() | Redo() | Rewind(restore="files" | "both") if not self._turns:
                self._add(given)
            case RunShell():
                self._commands.run(given)
            case Cancel(waiting):
                if waiting == "comes back" and (back := all_back(self._waiting, self._steers)):
                    self.stream.say(Returned(back))
                self._cancel()
            case Unqueue():
                if back := last_back(self._waiting, self._steers):
                    self.stream.say(Returned(back))
            case _:
                self._controls.take(given, "running" if self._turns else "idle")

    async def events(self) -> AsyncIterator[AnyEvent]:
        """Everything that happens, until `close`."""
        while (event := await self.stream.queue.get()) is not None:
            yield event

    async def close(self) -> None:
        """Cancel the turn, end all commands, close the connection and the log."""
        self._closed = True
        self._waiting.clear()
        self._steers.clear()
        try:
            if self._task is not None:
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)
            await self._commands.close()
            await self._doors.end()
        finally:  # also when closing is cancelled: the session must not stay locked
            self.stream.close()

    @property
    def _running(self) -> bool:
        return self._task is not None and not self._task.done()

    @property
    def _turns(self) -> bool:
        """A turn runs or waits to: words for it can still be added."""
        at_hand = (self._now, *self._waiting)
        return self._running and any(isinstance(one, UserMessage | Compact) for one in at_hand)

    def _add(self, given: Work) -> None:
        self._waiting.append(given)
        if not self._running:
            self._works = False
            self._now = None
            self._task = asyncio.get_running_loop().create_task(self._work())

    def _cancel(self) -> None:
        self._commands.cancel()
        if self._task is None or self._task.done():
            self._controls.approvals.refuse()  # hosts that jobs want
        elif self._works:
            self._task.cancel()
        elif self._waiting:  # behind the task's first step, which waits to be run already
            asyncio.get_running_loop().call_soon(self._task.cancel)

    async def _work(self) -> None:
        """One thing after another, while something waits."""
        self._works = True
        while self._waiting:
            self._now = self._waiting.popleft()
            forget_cancel()
            try:
                await self._do(self._now)
            except Exception as error:  # the front end must learn of it, then it is a crash
                LOG.exception("the engine crashed")
                kind = type(error).__name__
                is_begin = isinstance(self._now, Begin)
                said = NotBegun(_crashed(error), kind) if is_begin else None
                self.stream.say(said or TurnFinished("error", _crashed(error)))
                if back := all_back(self._waiting, self._steers):  # nobody would begin them now
                    self.stream.say(Returned(back))
                raise
        if self._begun and not self._closed:
            self._begun.warming.rest()

    async def _do(self, work: Work) -> None:
        match work:
            case UserMessage():
                await self._prompt(work)
            case Begin():
                await self._begin()
            case Compact(focus):
                await self._compact(focus)
            case SetModel():
                await self._change(work)
            case _:
                await self._put_back(work)

    async def _prompt(self, message: UserMessage) -> None:
        """A turn; it has its end, however it ends."""
        try:
            await self._turn(message)
        except QcodeError as error:
            self.stream.say(TurnFinished("error", str(error), type(error).__name__))
        except asyncio.CancelledError:  # before the turn began
            self.stream.say(CANCELLED)

    async def _turn(self, message: UserMessage) -> None:
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._doors.limits.max_wall_seconds):
                begun = await self._open()
                await begun.ready(message)
                await begun.warming.give_back()
        except TimeoutError:
            self.stream.say(out_of_time(self._doors.limits))
            return
        self._settle_dangling()
        message = headed(message, self.stream.conversation, begun.opening)
        await begun.turn(self.stream.conversation.turns + 1, began).run(message)
        self._take_late_steers()

    async def _begin(self) -> None:
        """It is no turn, so nothing finishes. Cancelled, the prompt that waits for it is, too: it
        is all that a person has seen themselves begin."""
        try:
            await self._open()
        except QcodeError as error:
            self.stream.say(NotBegun(str(error), type(error).__name__))
        except asyncio.CancelledError:
            self.stream.say(NotBegun("Cancelled: no server was found yet.", ""))
            if self._waiting and isinstance(self._waiting[0], UserMessage):
                self._waiting.popleft()
                self.stream.say(CANCELLED)

    async def _open(self) -> Begun:
        """Raises QcodeError, and it may be tried again. What is read ahead gives way."""
        self._begun = self._begun or await self._doors.begin(self.stream.say)
        await self._begun.warming.stop()
        return self._begun

    async def _compact(self, focus: str) -> None:
        """Between two turns; it is none itself, so nothing finishes."""
        try:
            begun = await self._open()
            self._settle_dangling()
            await begun.compact(focus)
        except QcodeError as error:
            self.stream.say(Notice("error", str(error)))
        except asyncio.CancelledError:
            self.stream.say(Notice("warning", "Cancelled: the conversation is as it was."))
        self._take_late_steers()

    async def _change(self, wish: SetModel) -> None:
        """To another model at once, since nothing runs."""
        self._controls.wish(wish)
        try:
            if self._begun is not None:
                await (await self._open()).change()
        except QcodeError as error:
            self.stream.say(Notice("error", str(error)))
        except asyncio.CancelledError:
            self.stream.say(Notice("info", "Cancelled: the model of before goes on."))

    async def _put_back(self, work: Undo | Redo | Rewind) -> None:
        """Files first: what the conversation goes back to is told with them."""
        try:
            files = await self._doors.back(work)
            if isinstance(work, Rewind) and work.restore == "both":
                self._controls.rewind(work.turn, files)
        except QcodeError as error:
            self.stream.say(Notice("error", str(error)))

    def _take_late_steers(self) -> None:
        """Steers that no step took begin the next turn, ahead of what is queued."""
        self._waiting.extendleft(reversed(self._steers))
        self._steers.clear()

    def _settle_dangling(self) -> None:
        """A result for each call that a crash left without one."""
        for call in self.stream.conversation.dangling():
            self.stream.say(ToolCallFinished(ToolMessage(call.id, call.name, LOST, "cancelled")))


CANCELLED = TurnFinished("cancelled", "The turn was cancelled.")


def _crashed(error: Exception) -> str:
    kind = type(error).__name__
    return f"qcode crashed ({kind}: {error}). The log file has more; `qcode paths` says where."
