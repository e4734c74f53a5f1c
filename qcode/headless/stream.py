"""`--output-format stream-json`: a line of JSON for each thing that happens, and lines back.

With `--input-format stream-json` the run goes on from prompt to prompt until stdin ends; a message
that comes while a turn runs steers it. Stdout is this form's alone. `json-array` is the same as one
list at the end.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from qcode.headless import json as json_form
from qcode.headless.content import Unusable, said
from qcode.headless.control import APPROVAL_SECONDS, Control, Seen
from qcode.headless.exits import ExitCode
from qcode.headless.frames import Frame, Frames, Opening, Shape
from qcode.headless.lines import Broken, Lines, pump
from qcode.headless.result import Result
from qcode.headless.signals import Caught
from qcode.headless.writer import Array, Writer
from qcode.protocol.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalSettled,
    ContextChanged,
    QuestionAsked,
    SessionStarted,
    Steered,
    TurnFinished,
    TurnStarted,
    Usage,
)
from qcode.protocol.inputs import Cancel, Input, Prompt, Steer

WAITING_PIECES = 4
"""Pieces of stdin that wait to be taken: more are left in the pipe."""


class Engine(Protocol):
    """See `run.Engine`."""

    def submit(self, given: Input) -> None:
        """Take an input."""
        ...

    def events(self) -> AsyncIterator[AnyEvent]:
        """Everything that happens."""
        ...

    async def close(self) -> None:
        """End all that runs."""
        ...


@dataclass(frozen=True, slots=True)
class StreamForm:
    """What the flags asked for."""

    opening: Opening
    shape: Shape = field(default_factory=Shape)
    output: Literal["stream-json", "json-array"] = "stream-json"
    input: Literal["text", "stream-json"] = "text"
    prompts: Literal["stdio", "nobody"] = "nobody"
    wait_seconds: float = APPROVAL_SECONDS


async def run(engine: Engine, prompt: Prompt | None, form: StreamForm) -> ExitCode:
    """Run until the turn ends, or until stdin does. The engine is closed when this returns."""
    loop = asyncio.get_running_loop()
    writer: Writer | Array
    if form.output == "json-array":
        writer = Array(json_form.put)
    else:
        writer = Writer(sys.stdout.fileno(), lambda: _from_thread(loop, host))
    host = _Host(engine, writer, form)
    with Caught(host.interrupt) as caught:
        try:
            await host.talk(prompt)
        finally:
            host.control.close()
            await engine.close()
            await asyncio.to_thread(writer.close)
    return caught.code or host.code


def _from_thread(loop: asyncio.AbstractEventLoop, host: "_Host") -> None:
    try:
        loop.call_soon_threadsafe(host.leave)
    except RuntimeError:  # the run is over
        return


class _Host:
    """One who drives a run: what they say goes to the engine, what it says to them."""

    def __init__(self, engine: Engine, writer: Writer | Array, form: StreamForm) -> None:
        self.code = ExitCode.OK
        """Of the last turn."""
        self._engine = engine
        self._writer = writer
        self._form = form
        self._frames = Frames(form.opening, form.shape)
        self.control = Control(
            self._frames, engine.submit, writer.write, form.prompts, form.wait_seconds
        )
        self._result = Result()
        self._seen = Seen()
        self._running = False
        self._given: list[str] = []
        """Ids of prompts whose turn has not begun."""
        self._steers = 0
        self._is_open = form.input == "stream-json"
        """Whether more may come."""
        self._over = asyncio.Event()

    async def talk(self, prompt: Prompt | None) -> None:
        """All of it."""
        self._writer.write(self._frames.init())
        if prompt is not None:
            self._begin(prompt, "")
        tasks = [asyncio.create_task(self._follow())]
        if self._is_open:
            tasks.append(asyncio.create_task(self._listen()))
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait([*tasks, over], return_when=asyncio.FIRST_COMPLETED)
            if not over.done():  # one of them failed, or the engine has no more to say
                await next(task for task in tasks if task.done())
        finally:
            for task in (*tasks, over):
                task.cancel()

    def interrupt(self) -> None:
        """Ctrl+C, or a signal: the turn ends, and the run with it."""
        self._is_open = False
        self._engine.submit(Cancel())
        self._end_if_done()

    def leave(self) -> None:
        """Nobody reads any more."""
        self.code = ExitCode.FAILED
        self._over.set()

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
                self._complain(f"A line of the type {other!r} means nothing here.")

    def _message(self, line: Frame) -> None:
        try:
            prompt = said(line)
        except Unusable as error:
            self._complain(str(error))
            return
        if (self._running or self._given) and not prompt.images:
            self._steers += 1
            self._engine.submit(Steer(prompt.text))
        else:
            self._begin(prompt, str(line.get("uuid") or ""))

    def _begin(self, prompt: Prompt, message_id: str) -> None:
        self._given.append(message_id)
        self._engine.submit(prompt)

    def _complain(self, why: str) -> None:
        self._writer.write(self._frames.system("qcode_error", {"error": why}))

    # ------------------------------------------------------------------ from the engine

    async def _follow(self) -> None:
        async for event in self._engine.events():
            self._result.take(event)
            self._note(event)
            for frame in self._frames.take(event):
                self._writer.write(frame)
            match event:
                case ApprovalRequested() | QuestionAsked():
                    self.control.ask(event)
                case ApprovalSettled(request_id):
                    self.control.settled(request_id)
                case TurnFinished():
                    self._finish()
                    self._end_if_done()

    def _note(self, event: AnyEvent) -> None:
        seen = self._seen
        match event:
            case TurnStarted(turn):
                self._running = True
                message_id = self._began()
                turns = (*seen.turns, (message_id, turn)) if message_id else seen.turns
                self._seen = Seen(seen.context_tokens, seen.used_tokens, turns)
            case Steered():
                self._steers = max(0, self._steers - 1)
            case SessionStarted(context_tokens=tokens) | ContextChanged(context_tokens=tokens):
                self._seen = Seen(tokens or 0, seen.used_tokens, seen.turns)
            case Usage(prompt_tokens=read, generated_tokens=written) if read is not None:
                self._seen = Seen(seen.context_tokens, read + (written or 0), seen.turns)

    def _began(self) -> str:
        """Id of the message that began the turn; empty for a steer that came too late."""
        if self._given:
            return self._given.pop(0)
        self._steers = max(0, self._steers - 1)
        return ""

    def _finish(self) -> None:
        self._running = False
        result = self._result
        self.code = result.exit_code()
        found = json_form.as_object(result, self.code)
        self._writer.write(self._frames.result(found | {"session_id": self._session_id()}))
        self._result = Result(session=result.session)

    def _session_id(self) -> str:
        return self._form.opening.session_id

    def _end_if_done(self) -> None:
        if not (self._is_open or self._running or self._given or self._steers):
            self._over.set()
