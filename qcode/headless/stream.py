"""`--output-format stream-json`: a line of JSON for each thing that happens, and lines back.

With `--input-format stream-json` the run goes on from prompt to prompt until stdin ends; a message
that comes while a turn runs steers it. Stdout is this form's alone. `json-array` is the same as one
list at the end.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

from qcode.headless import json as json_form
from qcode.headless.content import Unusable, said
from qcode.headless.control import Control, Seen
from qcode.headless.exits import ExitCode
from qcode.headless.frames import Frame, Frames
from qcode.headless.lines import Broken, Lines, pump
from qcode.headless.opening import StreamForm
from qcode.headless.result import Result
from qcode.headless.run import Engine
from qcode.headless.save import save
from qcode.headless.signals import Caught
from qcode.headless.talk import talk
from qcode.headless.waiting import Waiting
from qcode.headless.writer import Array, Writer
from qcode.protocol.errors import InputError
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
    TurnFinished,
    TurnStarted,
)
from qcode.protocol.inputs import Cancel, Prompt, Steer
from qcode.protocol.messages import UserMessage
from qcode.protocol.text import well_formed

WAITING_PIECES = 4
"""Pieces of stdin that wait to be taken: more are left in the pipe."""


async def run(make: Callable[[], Engine], prompt: Prompt | None, form: StreamForm) -> ExitCode:
    """Run until the turn ends, or until stdin does. `make`: the engine, once the first line is
    given out, for it takes a while; it is closed when this returns. Raises what `make` does."""
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    writer: Writer | Array
    if form.output == "json-array":
        writer = Array(json_form.put)
    else:
        writer = Writer(sys.stdout.fileno(), lambda: _from_thread(loop, gone))
    frames = Frames(form.opening, form.shape, asks=form.asks)
    for frame in (frames.init(), *frames.warnings()):
        writer.write(frame)
    try:
        host = _Host(make(), writer, frames, form)
    except BaseException:
        if isinstance(writer, Writer):  # what is said of it comes behind
            writer.close(lambda: True)
        raise
    with Caught(host.interrupt) as caught:
        try:
            await host.talk(prompt, gone)
        finally:
            host.control.close()
            await host.engine.close()
            if isinstance(writer, Writer):
                await asyncio.to_thread(writer.close, lambda: caught.code is not None)
    if isinstance(writer, Array):  # blocks where nobody reads: outside, Ctrl+C ends that too
        writer.close()
    elif writer.is_lost:
        talk("nobody reads stdout any more, so the run was ended.")
    return caught.code or host.code


def _from_thread(loop: asyncio.AbstractEventLoop, gone: asyncio.Event) -> None:
    try:
        loop.call_soon_threadsafe(gone.set)
    except RuntimeError:  # the run is over
        return


class _Host:
    """One who drives a run: what they say goes to the engine, what it says to them."""

    def __init__(
        self, engine: Engine, writer: Writer | Array, frames: Frames, form: StreamForm
    ) -> None:
        self.code = ExitCode.OK
        """Of the last turn."""
        self.engine = engine
        self._writer = writer
        self._form = form
        self._frames = frames
        self.control = Control(
            frames, engine.submit, writer.write, form.prompts, form.wait_seconds, form.talk
        )
        self._result = Result()
        self._seen = Seen()
        self._running = False
        self._waiting = Waiting()
        self._owes_result = False
        """Words were given, and no result came since."""
        self._is_open = form.input == "stream-json"
        """Whether more may come."""
        self._has_heard = False
        """A prompt."""
        self._missed = ""
        """Why what came last could not be taken up; empty = it was."""
        self._over = asyncio.Event()

    async def talk(self, prompt: Prompt | None, gone: asyncio.Event) -> None:
        """All of it. `gone`: nobody reads any more."""
        if prompt is not None:
            self._begin(prompt, self._frames.make_id())
        tasks = [asyncio.create_task(self._follow())]
        if self._is_open:
            tasks.append(asyncio.create_task(self._listen()))
        over, left = (asyncio.create_task(one.wait()) for one in (self._over, gone))
        try:
            await asyncio.wait([*tasks, over, left], return_when=asyncio.FIRST_COMPLETED)
            if left.done():
                self.code = ExitCode.FAILED
                return
            if not over.done():  # one of them failed, or the engine has no more to say
                await next(task for task in tasks if task.done())
            if self._owes_result:  # taken back before anything began: nothing has said its end
                self._result.take(TurnFinished("cancelled", "The turn was cancelled."))
                self._finish()
            elif self._missed:
                self._result.take(TurnFinished("error", self._missed, "InputError"))
                self._conclude()
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
        self._is_open = False
        self.control.close()
        self._end_if_done()
        await self._over.wait()

    def _take(self, line: dict[str, Any] | Broken) -> None:
        if not self._is_open:  # a signal ended the run
            return
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
            self._result.began = time.monotonic()
        self._owes_result = True
        self._waiting.add(message_id, well_formed(prompt.text))
        self.engine.submit(prompt)

    def _complain(self, why: str) -> None:
        self._missed = why
        self._writer.write(self._frames.system("qcode_error", {"error": why}))

    # ------------------------------------------------------------------ from the engine

    async def _follow(self) -> None:
        async for event in self.engine.events():
            self._result.take(event)
            message_id = self._note(event)
            for frame in self._frames.take(event):
                replayed = message_id and frame.get("isReplay")
                self._writer.write(frame | {"uuid": message_id} if replayed else frame)
            match event:
                case ApprovalRequested() | QuestionAsked():
                    self.control.ask(event)
                case ApprovalSettled(request_id):
                    self.control.settled(request_id)
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
        self._conclude(self._saved(self._result.answer or self._result.last_text))

    def _conclude(self, trouble: str = "") -> None:
        """Say the result. `trouble`: what went wrong after the turn."""
        result = self._result
        code = result.exit_code()
        self.code = ExitCode.INPUT if trouble and code is ExitCode.OK else code
        found = json_form.as_object(result, self.code, trouble)
        self._writer.write(self._frames.result(found | {"session_id": self._session_id()}))
        self._result = Result(session=result.session)

    def _saved(self, words: str) -> str:
        """What kept the final message out of its file; empty = nothing did."""
        try:
            if self._form.last_message is not None:
                save(self._form.last_message, words)
        except InputError as error:
            return str(error)
        return ""

    def _session_id(self) -> str:
        return self._form.opening.session_id

    def _end_if_done(self) -> None:
        busy = self._running or self._waiting or self.control.rewinding
        if not (self._is_open or busy):
            self._over.set()
