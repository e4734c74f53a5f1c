"""One prompt, events to a writer, an exit code. Nothing here waits for an answer from a person."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from qcode.headless import json as json_form
from qcode.headless import text as text_form
from qcode.headless.exits import ExitCode
from qcode.headless.live import TICK_SECONDS
from qcode.headless.result import Result
from qcode.headless.save import save
from qcode.headless.signals import Caught
from qcode.headless.talk import talk, whole
from qcode.protocol.errors import InputError, QcodeError
from qcode.protocol.events import FLEETING, AnyEvent, TurnFinished
from qcode.protocol.inputs import Cancel, Input, Prompt

LOG = logging.getLogger(__name__)


class Engine(Protocol):
    """The part of `engine.Engine` that a run needs; a scripted one has it too."""

    def submit(self, given: Input) -> None:
        """Take an input."""
        ...

    def events(self) -> AsyncIterator[AnyEvent]:
        """Everything that happens."""
        ...

    async def close(self) -> None:
        """End all that runs."""
        ...


class Form(msgspec.Struct, frozen=True):
    """How the result is given out."""

    output: Literal["text", "json"] = "text"
    last_message: Path | None = None
    """`-o FILE`: the final message goes there as well."""
    progress: Literal["shown", "quiet"] = "shown"
    again: str = ""
    """What `qcode --resume ID` needs behind it for the same server; begins with a blank."""


async def run(engine: Engine, prompt: str | Prompt, form: Form) -> ExitCode:
    """Run one turn to its end. The session is closed and all children ended when this returns.

    Raises QcodeError when the result cannot be given out.
    """
    result = Result()
    progress = text_form.Progress(sys.stderr) if form.progress == "shown" else None
    with Caught(lambda: engine.submit(Cancel())) as caught:
        engine.submit(Prompt(prompt) if isinstance(prompt, str) else prompt)
        try:
            async with _ticking(progress):
                await _follow(engine, result, progress)
        finally:
            await engine.close()
        if progress:
            progress.end(result)
        if caught.code:  # an impatient person presses Ctrl+C more than once
            return _give_out(result, caught.code, form)
    return _give_out(result, result.exit_code(), form)


async def _follow(engine: Engine, result: Result, progress: text_form.Progress | None) -> None:
    """Take every event up to the end of the turn."""
    async for event in engine.events():
        if not isinstance(event, FLEETING) and LOG.isEnabledFor(logging.DEBUG):
            LOG.debug("event %s", msgspec.json.encode(event).decode())
        result.take(event)
        if progress:
            progress.take(event)
        if isinstance(event, TurnFinished):
            return


@contextlib.asynccontextmanager
async def _ticking(progress: text_form.Progress | None) -> AsyncIterator[None]:
    """The live line shows that time passes, also while nothing happens."""
    task = asyncio.create_task(_tick(progress)) if progress and progress.live.is_on else None
    try:
        yield
    finally:
        if task:
            task.cancel()


async def _tick(progress: text_form.Progress) -> None:
    while True:
        await asyncio.sleep(TICK_SECONDS)
        progress.live.tick()


def _give_out(result: Result, code: ExitCode, form: Form) -> ExitCode:
    """Print the result; an answer that cannot be written where it was wanted is a failure."""
    words = result.answer or result.last_text
    trouble = _saved(form.last_message, words)
    code = ExitCode.INPUT if trouble and code is ExitCode.OK else code
    try:
        if form.output == "json":
            json_form.answer(result, code, trouble)
        elif words:
            text_form.answer(words)
    except QcodeError as error:
        raise QcodeError(f"{error}{_kept(result)}") from error
    if code is not ExitCode.OK:
        said = filter(None, (result.why(code), trouble, _next(result, form.again)))
        talk(" ".join(map(_ended, said)))
    return code


def _ended(sentence: str) -> str:
    """With a full stop; a command at its end gets none."""
    return sentence if sentence[-1] in ".!?'" else f"{sentence}."


def _saved(path: Path | None, words: str) -> str:
    """What kept the final message out of its file; empty = it is there, or none was wanted."""
    try:
        if path is not None:
            save(path, words)
    except InputError as error:
        return str(error)
    return ""


def _next(result: Result, again: str) -> str:
    id_ = result.resumable
    command = whole(f"qcode --resume {id_}{again} -p '…'")
    return f"Go on with: {command}" if id_ else ""


def _kept(result: Result) -> str:
    id_ = result.session_id
    return f" The session has it: qcode sessions export {id_}" if id_ else ""
