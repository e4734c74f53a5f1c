"""`/doctor` in plain mode: what is checked, a line each, then what was found."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from qcode.protocol.errors import InputError, QcodeError
from qcode.tui.aside import Aside
from qcode.tui.examined_page import is_anyway, report_lines
from qcode.tui.home import Examination, Held, Home
from qcode.tui.plain_rows import heard
from qcode.tui.plain_voice import Voice

if TYPE_CHECKING:  # whoever examines brings it
    from qcode.doctor.report import Report

WIDTH = 72
T = TypeVar("T")
Say = Callable[[str], None]
Look = Callable[[Say], Coroutine[Any, Any, "Report"]]
"""What it says meanwhile may come from any thread."""


async def examine(
    home: Home, held: Held, model: str, words: str, voice: Voice, come: asyncio.Queue[T]
) -> list[T]:
    """All of it, as lines; what came meanwhile and was not for it. Ctrl+C ends it and keeps what
    is known."""
    look = home.examine
    try:
        anyway = is_anyway(words)
        if look is None:
            raise InputError("There is no examination here; `qcode doctor` in a shell makes one.")
        key = await asyncio.to_thread(held.key_for, held.base_url)
    except QcodeError as error:
        voice.line(str(error), "warning")
        return []
    voice.line("The server is examined: a minute or two. Ctrl+C ends it.")

    def run(say: Say) -> Coroutine[Any, Any, "Report"]:
        return look(Examination(held.base_url, model, say, say, key, anyway=anyway))

    return await _followed(run, voice, come)


async def _followed(look: Look, voice: Voice, come: asyncio.Queue[T]) -> list[T]:
    loop = asyncio.get_running_loop()

    def say(text: str) -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(voice.line, text, "dim")

    aside: Aside[Report] = Aside(lambda: look(say))
    running = asyncio.ensure_future(aside.run())
    others = await _meanwhile(running, come, aside.stop)
    try:
        report = await running
    except QcodeError as error:
        voice.line(str(error), "error")
    else:
        for line in report_lines(report, WIDTH) if report else ():
            voice.line(heard(line))
    return others


async def _meanwhile(
    running: asyncio.Future[Any], come: asyncio.Queue[T], stop: Callable[[], None]
) -> list[T]:
    others: list[T] = []
    while not running.done():
        coming = asyncio.ensure_future(come.get())
        await asyncio.wait({running, coming}, return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            coming.cancel()
            continue
        one = coming.result()
        if isinstance(one, signal.Signals):
            stop()
        if one != signal.SIGINT:
            others.append(one)
    return others
