"""One prompt, events to a writer, an exit code. Nothing here waits for an answer from a person."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from qcode.headless import json as json_form
from qcode.headless import text as text_form
from qcode.headless.exits import ExitCode
from qcode.headless.result import Result
from qcode.protocol.errors import InputError
from qcode.protocol.events import AnyEvent, TurnFinished
from qcode.protocol.inputs import Cancel, Input, Prompt

BY_SIGNAL = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


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


@dataclass(frozen=True, slots=True)
class Form:
    """How the result is given out."""

    output: Literal["text", "json"] = "text"
    last_message: Path | None = None
    """`-o FILE`: the final message goes there as well."""
    progress: Literal["shown", "quiet"] = "shown"


async def run(engine: Engine, prompt: str, form: Form) -> ExitCode:
    """Run one turn to its end. The session is closed and all children ended when this returns."""
    result = Result()
    progress = text_form.Progress(sys.stderr)
    caught: list[signal.Signals] = []
    with _Signals(engine, caught):
        engine.submit(Prompt(prompt))
        try:
            async for event in engine.events():
                result.take(event)
                if form.progress == "shown":
                    progress.take(event)
                if isinstance(event, TurnFinished):
                    break
        finally:
            await engine.close()
    progress.clear()
    code = BY_SIGNAL[caught[0]] if caught else result.exit_code()
    return _give_out(result, code, form)


def _give_out(result: Result, code: ExitCode, form: Form) -> ExitCode:
    """Print the result; an answer that cannot be written where it was wanted is a failure."""
    words = result.answer or result.last_text
    if form.output == "json":
        sys.stdout.write(json_form.encode(result, code) + "\n")
        sys.stdout.flush()
    elif words:
        text_form.answer(words)
    if form.last_message is not None:
        _save(form.last_message, words)
    if code is not ExitCode.OK:
        sys.stderr.write(_why(result, code) + "\n")
    return code


def _why(result: Result, code: ExitCode) -> str:
    if code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
        detail = "Interrupted."
    elif result.end and result.end.detail:
        detail = result.end.detail
    else:
        detail = "The model gave no answer."
    resume = ""
    if result.session and result.session.session_id:
        resume = f" Go on with: qcode --resume {result.session.session_id} -p '…'"
    return f"qcode: {detail}{resume}"


def _save(path: Path, words: str) -> None:
    try:
        path.write_text(words + "\n" if words else "", encoding="utf-8")
    except OSError as error:
        raise InputError(f"The answer cannot be written to {path} ({error.strerror}).") from error


class _Signals:
    """SIGINT and SIGTERM cancel the turn; it ends tidily and the session can be resumed."""

    def __init__(self, engine: Engine, caught: list[signal.Signals]) -> None:
        self.engine = engine
        self.caught = caught

    def __enter__(self) -> None:
        if sys.platform == "win32":  # no signal handlers on its loops: Ctrl+C is KeyboardInterrupt
            return
        loop = asyncio.get_running_loop()
        for number in BY_SIGNAL:
            loop.add_signal_handler(number, self._take, number)

    def __exit__(self, *_: object) -> None:
        if sys.platform == "win32":
            return
        loop = asyncio.get_running_loop()
        for number in BY_SIGNAL:
            loop.remove_signal_handler(number)

    def _take(self, number: signal.Signals) -> None:
        self.caught.append(number)
        self.engine.submit(Cancel())
