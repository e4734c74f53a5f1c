"""One visit to a server: what is said before it, what is put back behind it."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import get_terminal_size

from qcode.cli.doctor_progress import Progress
from qcode.cli.doctor_turns import in_turn
from qcode.config.model import Config
from qcode.config.paths import make, paths
from qcode.doctor import contested, ours, report, slot
from qcode.doctor.base import Probe, Result, Subject
from qcode.doctor.examination import Tell, examine
from qcode.doctor.meeting import Address, is_paid, met, misnamed, wake
from qcode.doctor.report import Report
from qcode.headless.talk import talk
from qcode.protocol.errors import ServerGone
from qcode.sandbox.choose import LANDLOCK


class InUse(ServerGone):
    """It is there, and at work for somebody."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What is to be done there."""

    probes: Sequence[Probe]
    own: Sequence[Result]
    seconds: float
    is_deep: bool = field(kw_only=True)
    anyway: bool = field(kw_only=True)
    """Also while it is at work."""
    say: Callable[[str], None] = field(default=talk, kw_only=True)
    """Hears what a person should know beside the report."""
    tell: Tell | None = field(default=None, kw_only=True)
    """Hears which check begins; None = a line on the terminal says it."""


async def visit(address: Address, wanted: Visit) -> Report:
    """Examine the server. Interrupted, it reports what is known.

    Raises ServerGone, InUse where it is at work; CredentialsRefused, UnknownModel.
    """
    async with met(address, lambda state: wanted.say(f"the server: {state.state}")) as subject:
        if not wanted.anyway and (because := await _in_use(subject)):
            raise InUse(because)
        subject.deep = wanted.is_deep
        saved = await slot.save(subject)
        wanted.say(_beforehand(subject, saved))
        is_whole = False
        try:
            if subject.facts.loaded is False:
                wanted.say("the model is loaded first; that time is not counted.")
            await wake(subject)
            async with _told(wanted) as tell:
                examined = await examine(subject, wanted.probes, wanted.seconds, tell)
            is_whole = not examined.interrupted
        finally:  # also where waking it is interrupted
            if saved.slots:
                was_put_back = await _give_back(subject, saved, wanted.say)
                if was_put_back and not is_whole:
                    wanted.say("the saved conversation was put back.")
        remarks = (*misnamed(subject), *contested.remarks(subject.facts))
        return report.of(subject.facts, examined, wanted.own, remarks)


def own_side(config: Config) -> tuple[Result, ...]:
    """What is to be said of qcode itself here. Raises ConfigError."""
    places, size = paths(), get_terminal_size((0, 0))
    columns = size.columns if sys.stdout.isatty() else 0
    accepted = (LANDLOCK,) if config.sandbox.accept_landlock == "yes" else ()
    terminal = ours.Terminal(columns, size.lines, os.environ)
    state = make(places.state)
    return ours.examined(ours.Own(Path.cwd(), state, places.folders, terminal, accepted))


@asynccontextmanager
async def _told(wanted: Visit) -> AsyncIterator[Tell]:
    if wanted.tell is not None:
        yield wanted.tell
        return
    async with Progress(wanted.seconds) as progress:
        yield progress.tell


async def _give_back(subject: Subject, saved: slot.Saved, say: Callable[[str], None]) -> bool:
    """Whether it is."""
    if await slot.restore(subject, saved):
        await slot.clear(subject, saved, paths().state / "serve" / "slots")
        return True
    say("the saved conversation could not be put back: its next turn is read anew.")
    return False


async def _in_use(subject: Subject) -> str:
    """Why it is to be left alone now, a sentence; empty = it may be examined."""
    facts = subject.facts
    if await slot.is_busy(subject):
        why = f"The server at {facts.base_url} is answering somebody"
    elif process := in_turn(paths().sessions, facts.kind):
        why = f"Another qcode (process {process}) is in the middle of a turn with {facts.kind}"
    else:
        return ""
    return (
        f"{why}: an examination would slow that down, measure wrong, and take its cache away. "
        "Try again when it rests, or say --anyway."
    )


def _beforehand(subject: Subject, saved: slot.Saved) -> str:
    if is_paid(subject.facts):
        return "this service counts tokens: the examination costs what some turns cost."
    said = "the examination takes the place of the conversation that the server has in its cache"
    if saved.slots:
        return f"{said}; it was saved, and is put back afterwards."
    also = "" if slot.tells_busy(subject) else " Let no other qcode work with it meanwhile."
    return f"{said}: the next turn of a running session is read anew.{also}"
