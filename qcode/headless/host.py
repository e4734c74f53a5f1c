"""One who drives a run by lines of JSON, and the engine: what each says goes to the other."""

import asyncio
import sys
from typing import Any

from qcode.headless.content import Unusable, said
from qcode.headless.control import Control, Seen
from qcode.headless.ends import Ends
from qcode.headless.exits import ExitCode
from qcode.headless.frames import Frame
from qcode.headless.lines import Broken, Lines, pump
from qcode.headless.opening import StreamForm
from qcode.headless.run import Engine
from qcode.headless.waiting import Waiting
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    ContextChanged,
    Notice,
    QuestionAsked,
    Returned,
    SessionStarted,
    Steered,
    ToolCallFinished,
    TurnFinished,
    TurnStarted,
)
from qcode.protocol.inputs import Cancel, Prompt, Steer
from qcode.protocol.messages import UserMessage
from qcode.protocol.text import well_formed

WAITING_PIECES = 4
"""Pieces of stdin that wait to be taken: more are left in the pipe."""
NOTHING = (
    'Nothing came on stdin. Write a line: {"type":"user","message":{"role":"user","content":"…"}}'
)


class Host:
    """One who drives a run: what they say goes to the engine, what it says to them."""

    def __init__(self, engine: Engine, ends: Ends, form: StreamForm) -> None:
        self.engine = engine
        self._ends = ends
        self._frames, self._write = ends.frames, ends.write
        self.control = Control(
            ends.frames, engine.submit, ends.write, form.prompts, form.wait_seconds, form.talk
        )
        self._seen = Seen()
        self._running = False
        self._waiting = Waiting()
        self._owes_result = False
        """Words were given, and no result came since."""
        self._is_open = form.input == "stream-json"
        """Whether more may come."""
        self._has_heard = False
        """A prompt."""
        self._is_silent = True
        """No line has come, and there was no prompt."""
        self._missed = ""
        """Why what came last could not be taken up; empty = it was."""
        self._over = asyncio.Event()

    async def talk(self, prompt: Prompt | None, gone: asyncio.Event) -> None:
        """All of it. `gone`: nobody reads any more."""
        if prompt is not None:
            self._begin(prompt, self._frames.make_id())
            self._is_silent = False
        tasks = [asyncio.create_task(self._follow())]
        if self._is_open:
            tasks.append(asyncio.create_task(self._listen()))
        over, left = (asyncio.create_task(one.wait()) for one in (self._over, gone))
        try:
            await asyncio.wait([*tasks, over, left], return_when=asyncio.FIRST_COMPLETED)
            if left.done():
                self._ends.code = ExitCode.FAILED
                return
            if not over.done():  # one of them failed, or the engine has no more to say
                await next(task for task in tasks if task.done())
            if self._owes_result:  # taken back before anything began: nothing has said its end
                self._ends.take(TurnFinished("cancelled", "The turn was cancelled."))
                self._finish()
            elif self._missed:
                self._ends.missed(self._missed)
        finally:
            for task in (*tasks, over, left):
                task.cancel()

    def interrupt(self) -> None:
        """Ctrl+C, or a signal: the turn ends, and the run with it."""
        self._is_open = False
        self.engine.submit(Cancel("comes back"))
        self._end_if_done()

    # ------------------------------------------------------------------ from the host

    async def _listen(self) -> None:
        pieces: asyncio.Queue[bytes] = asyncio.Queue(WAITING_PIECES)
        pump(sys.stdin.fileno(), pieces)
        lines = Lines()
        while piece := await pieces.get():
            for line in lines.feed(piece):
                self._take(line)
        for line in lines.end():
            self._take(line)
        if self._is_open and self._is_silent:  # whoever should have written has failed, perhaps
            self._missed = NOTHING
        self._is_open = False
        self.control.close()
        self._end_if_done()
        await self._over.wait()

    def _take(self, line: dict[str, Any] | Broken) -> None:
        if not self._is_open:  # a signal ended the run
            return
        self._is_silent = False
        if isinstance(line, Broken):
            self._complain(line.why)
            return
        match line.get("type"):
            case "user":
                self._message(line)
            case "control_request":
                self.control.take_request(line, self._seen)
            case "control_response":
                self.control.take_response(line)
            case "control_cancel_request" | "keep_alive":
                pass  # what a host asks for is done at once, so there is nothing to cancel
            case other:
                missed = self._missed
                self._complain(f"A line of the type {other!r} means nothing here.")
                if self._has_heard:  # of a newer client, perhaps: beside prompts it costs no code
                    self._missed = missed

    def _message(self, line: Frame) -> None:
        try:
            prompt = said(line)
        except Unusable as error:
            self._complain(str(error))
            return
        self._has_heard, self._missed = True, ""
        message_id = str(line.get("uuid") or self._frames.make_id())
        if (self._running or self._waiting) and not prompt.images:
            self._owes_result = True
            self._waiting.add(message_id, prompt.text)
            self.engine.submit(Steer(prompt.text))
        else:
            self._begin(prompt, message_id)

    def _begin(self, prompt: Prompt, message_id: str) -> None:
        if not self._running:  # the time between two turns is nobody's
            self._ends.begin()
        self._owes_result = True
        self._waiting.add(message_id, well_formed(prompt.text))
        self.engine.submit(prompt)

    def _complain(self, why: str) -> None:
        self._missed = why
        self._write(self._frames.system("qcode_error", {"error": why}))

    # ------------------------------------------------------------------ from the engine

    async def _follow(self) -> None:
        async for event in self.engine.events():
            self._ends.take(event)
            message_id = self._note(event)
            for frame in self._frames.take(event):
                replayed = message_id and frame.get("isReplay")
                self._write(frame | {"uuid": message_id} if replayed else frame)
            match event:
                case ApprovalRequested() | QuestionAsked():
                    self.control.ask(event)
                case ApprovalSettled(request_id):
                    self.control.settled(request_id)
                case ToolCallFinished(message):
                    self.control.finished(message.call_id)
                case Notice():
                    self.control.noticed(event)
                    self._end_if_done()
                case Returned():
                    self._end_if_done()
                case TurnFinished():
                    self._finish()
                    self._end_if_done()

    def _note(self, event: AnyEvent) -> str:
        """What a host can ask about. Returns its id for the words that were taken up, if any."""
        seen = self._seen
        match event:
            case TurnStarted(turn, message):
                self._running = True
                message_id = self._waiting.taken(message)
                turns = (*seen.turns, (message_id, turn)) if message_id else seen.turns
                self._seen = Seen(seen.context_tokens, turns)
                return message_id
            case Steered(UserMessage(origin="steer") as message):
                return self._waiting.taken(message)
            case Returned(messages):
                for message in messages:
                    self._waiting.taken(message)
            case SessionStarted(context_tokens=tokens) | ContextChanged(context_tokens=tokens):
                self._seen = Seen(tokens or 0, seen.turns)
        return ""

    def _finish(self) -> None:
        if not self._running:  # no server, an interrupt: it ended before it began
            self._waiting.dropped()
        self._running = self._owes_result = False
        self.control.turn_over()
        self._ends.finish()

    def _end_if_done(self) -> None:
        busy = self._running or self._waiting or self.control.rewinding
        if not (self._is_open or busy):
            self._over.set()
