"""`/doctor` in the app: it goes on in a thread, Esc keeps what is known, nothing runs beside it."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from qcode.doctor.base import Finding, Result
from qcode.doctor.report import Report
from qcode.protocol.errors import ServerGone
from qcode.protocol.events import StepStarted, TextDelta, TurnStarted
from qcode.protocol.inputs import Begin, Prompt
from qcode.protocol.messages import user
from qcode.tui.home import Examination
from tests.tui.conftest import Engine, Enter, House

FINDING = Finding(
    id="context.small",
    weight="slow",
    title="The context is small.",
    cost="Old turns are summarised.",
    change="llama-server -c 65536",
)


def reported(*, interrupted: bool = False) -> Report:
    """One that found something."""
    checks = (Result(probe="context", verdict="fails", said="4,096 tokens\x1b[31m"),)
    return Report(
        qcode="0.1.0",
        date="2026-11-21T20:00:00+00:00",
        server=None,
        checks=checks,
        findings=(FINDING,),
        seconds=3.0,
        interrupted=interrupted,
    )


@dataclass
class Doctor:
    """Waits until it is let go, or stopped."""

    wanted: list[Examination] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    go: threading.Event = field(default_factory=threading.Event)

    async def examine(self, wanted: Examination) -> Report:
        """See `Home.examine`."""
        self.wanted.append(wanted)
        self.threads.append(threading.current_thread())
        wanted.said("the server's cache is taken")
        wanted.checks("context: how large it is")
        try:
            while not self.go.is_set():  # noqa: ASYNC110 - another thread lets it go
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            return reported(interrupted=True)
        return reported()


async def examining(
    h: House, examine: Callable[[Examination], Coroutine[Any, Any, Report]], words: str = ""
) -> None:
    await h.begun()
    h.app.home = replace(h.app.home, examine=examine)
    h.app.command("doctor", words)


async def test_what_is_found_is_shown_and_stays_in_the_conversation(house: Enter) -> None:
    doctor = Doctor()
    async with house(size=(120, 30)) as h:
        await examining(h, doctor.examine)
        await h.until(lambda: "context: how large it is" in h.screen)
        assert "the server's cache is taken" in h.screen
        doctor.go.set()
        await h.until(lambda: "slow: The context is small." in h.screen)
        assert "change: llama-server -c 65536" in h.screen
        assert "\x1b" not in h.screen
        await h.press("escape")
        await h.until(lambda: "Examined the server: 1 checks in 3 s" in h.screen)
        assert "llama-server -c 65536" in h.screen
        assert doctor.wanted[0].model == "qwen"
        assert doctor.threads[0] is not threading.main_thread()


async def test_escape_ends_it_and_shows_what_is_known(house: Enter) -> None:
    async with house(size=(120, 30)) as h:
        await examining(h, Doctor().examine)
        await h.until(lambda: "context: how large it is" in h.screen)
        await h.press("escape")
        await h.until(lambda: "1 checks, ended after 3 s" in h.screen)
        await h.press("escape")
        await h.until(lambda: "ended by you after 3 s" in h.screen)


async def test_stopped_before_anything_is_known_it_closes(house: Enter) -> None:
    async def endless(wanted: Examination) -> Report:
        wanted.checks("meeting the server")
        await asyncio.sleep(60)
        return reported()

    async with house(size=(120, 30)) as h:
        await examining(h, endless)
        await h.until(lambda: "meeting the server" in h.screen)
        await h.press("escape")
        await h.until(lambda: h.app.screen is h.app.chat)
        assert "Examined" not in h.screen


async def test_no_turn_can_be_begun_beside_it(house: Enter) -> None:
    doctor = Doctor()
    async with house(size=(120, 30)) as h:
        await examining(h, doctor.examine)
        await h.until(lambda: "context: how large it is" in h.screen)
        page = h.app.screen
        await h.press("f3", "f1", "x", "enter")
        assert h.app.screen is page
        assert h.engine.inputs == [Begin()]
        doctor.go.set()


async def test_while_a_turn_runs_it_waits(house: Enter) -> None:
    going = (TurnStarted(1, user("go")), StepStarted(1, 1), TextDelta("working"))
    doctor = Doctor()
    async with house(Engine(going), size=(120, 30)) as h:
        await h.begun()
        h.app.submit(Prompt("go"))
        await h.until(lambda: "working" in h.screen)
        await examining(h, doctor.examine)
        await h.until(lambda: "waits for the end of the turn" in h.screen)
        assert not doctor.wanted


async def test_a_server_that_cannot_be_examined_is_said(house: Enter) -> None:
    async def busy(wanted: Examination) -> Report:
        wanted.checks("meeting the server")
        raise ServerGone("The server is answering somebody.")

    async with house(size=(120, 30)) as h:
        await examining(h, busy)
        await h.until(lambda: "The server is answering somebody." in h.screen)
        await h.press("escape")
        await h.until(lambda: h.app.screen is h.app.chat)


async def test_also_while_the_server_is_at_work_if_that_is_said(house: Enter) -> None:
    doctor = Doctor()
    doctor.go.set()
    async with house(size=(120, 30)) as h:
        await examining(h, doctor.examine, "anyway")
        await h.until(lambda: doctor.wanted)
        assert doctor.wanted[0].anyway


async def test_leaving_the_app_stops_it(house: Enter) -> None:
    ended: list[str] = []

    async def endless(wanted: Examination) -> Report:
        wanted.checks("context: how large it is")
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("yes")
        return reported()

    async with house(size=(120, 30)) as h:
        await examining(h, endless)
        await h.until(lambda: "context: how large it is" in h.screen)
    assert ended == ["yes"]


async def test_without_a_way_to_examine_the_command_is_not_shown(house: Enter) -> None:
    async with house() as h:
        await h.begun()
        assert "doctor" not in {row.name for row in h.app.commands}
