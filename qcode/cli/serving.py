"""A model file and settings -> a server that this process uses: found, or started as planned."""

import os
import sys
from collections.abc import Callable
from math import ceil
from pathlib import Path

import msgspec
from msgspec.structs import replace

from qcode.config.model import Config
from qcode.config.paths import make, paths
from qcode.protocol.errors import ConfigError, OutOfMemory, ServerGone
from qcode.serve import shared
from qcode.serve.base import Plan, Wants
from qcode.serve.card import Card, Place, Task, place_of
from qcode.serve.shared import Told, Use
from qcode.serve.source import alias_of, located

WINDOWS = "Models are served on Linux and macOS. On Windows use WSL."
SAID_AFTER = (1.0, 10.0, 30.0)
"""Seconds of loading after which a word is said; then each half minute."""

Say = Callable[[str], None]


def folder() -> Path:
    """Where keepers tell of their servers; nobody else looks into it. Raises ConfigError."""
    return make(paths().state / "serve")


def _slots() -> str:
    """Where conversations are written down at their end; llama.cpp puts names right behind it."""
    return f"{make(folder() / 'slots')}/"


class Asked(msgspec.Struct):
    """A model, and how it is wanted."""

    file: Path
    wants: Wants
    config: Config

    @property
    def has_wishes(self) -> bool:
        """Whether it matters how it is served."""
        usual = Wants(context_tokens=self.config.serve.context_tokens or None)
        return self.wants != usual

    @property
    def place(self) -> Place:
        """Where its server is told of. Raises ConfigError."""
        return place_of(folder(), self.file, *self._words)

    @property
    def _words(self) -> tuple[str, ...]:
        return (repr(self.wants), self.config.serve.binary, *self.config.serve.flags)

    def plan(self) -> Plan:
        """How it would be served here. Raises ConfigError and InputError."""
        from qcode.cli import planning  # noqa: PLC0415 - who joins a server needs none of it

        return planning.planned(self.file, self._wants, self.config, folder())

    @property
    def _wants(self) -> Wants:
        seconds = ceil(self.config.serve.sleep_minutes * 60)
        return replace(self.wants, slot_folder=_slots(), sleep_seconds=seconds)

    def use(
        self, say: Say, told: Told | None = None, meanwhile: Callable[[], None] | None = None
    ) -> tuple[Use, Card]:
        """Join its server, or start one and wait for it; `say` hears what a person should know.
        Who wishes for nothing takes the one that runs, as others wished for it. `told` hears how
        it loads, in place of `say`; what that raises ends the waiting. `meanwhile` is called while
        one starts.

        Raises QcodeError.
        """
        try:
            place = self.place if self.has_wishes else shared.like(self.place)
            use = shared.join(place, lambda: self._task(say), meanwhile)
        except OSError as error:
            raise ConfigError(
                f"The server cannot be started: {error}. It needs to write in {folder()}."
            ) from error
        try:
            return use, use.ready(told or Progress(say).told, self.config.server.loading_seconds)
        except (ServerGone, OutOfMemory):  # it has failed, or goes on loading and was said to
            use.close()
            shared.tidy(use.place)
            raise
        except BaseException:  # Ctrl+C above all
            _give_up(use, say)
            raise

    def _task(self, say: Say) -> Task:
        from qcode.cli import planning  # noqa: PLC0415 - the same

        planned = planning.plan_in_room(self.file, self._wants, self.config, folder(), say)
        for remark in planned.remarks:
            say(remark)
        place = self.place
        is_package = planned.engine.backend == "xllamacpp"
        return Task(
            backend=planned.engine.backend,
            program="" if is_package else planned.engine.path,
            model=str(planned.model.path),
            alias=alias_of(self.file),
            flags=tuple((flag.name, flag.value) for flag in planned.flags),
            reasons=tuple(flag.why for flag in planned.flags),
            folder=str(place.folder),
            id=place.id,
            key=shared.new_key(),
            idle_seconds=self.config.serve.idle_minutes * 60,
            context_tokens=planned.context_tokens,
            build=planned.engine.build,
        )


def _give_up(use: Use, say: Say) -> None:
    """Let go of what still loads; what nobody else waits for is ended."""
    card = use.place.card()
    use.close()
    if card is None:
        return
    if shared.end_unused(use.place):
        say(f"{card.alias} was ended: nobody else uses it.")
    elif others := shared.users(use.place):
        say(f"{card.alias} goes on: {others} more use it.")


def asked(model: str, config: Config, wants: Wants | None = None) -> Asked:
    """What `MODEL` means. Raises InputError and ConfigError."""
    if sys.platform == "win32":
        raise ConfigError(WINDOWS)
    if wants is None:
        wants = Wants(context_tokens=config.serve.context_tokens or None)
    return Asked(located(model, os.environ), wants, config)


class Progress:
    """Says now and then that a model still loads."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._due = list(SAID_AFTER)

    def told(self, card: Card, seconds: float) -> None:
        """See `shared.Told`."""
        if seconds < self._due[0]:
            return
        due = self._due.pop(0)
        self._due = self._due or [due + 30.0]
        self._say(f"loading {card.alias}, {seconds:.0f} s")
