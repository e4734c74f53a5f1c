"""The way to sessions, for the app: what its `Home` calls, in threads.

Light, as `app` is: what the first paint does not need is imported where it is used.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from qcode.cli import own_server
from qcode.cli.options import Options
from qcode.cli.settings import flags
from qcode.cli.trusting import Project, accepted, settings
from qcode.config.load import Loaded, Sources, load
from qcode.config.paths import Paths
from qcode.config.trusted import decline, keep
from qcode.protocol.errors import ConfigError
from qcode.protocol.events import AnyEvent, Event
from qcode.tui.home import Examination, Opened, Report, Wanted

if TYPE_CHECKING:
    from qcode.cli.opening import Session
    from qcode.doctor.report import Report as Examined
    from qcode.serve.card import Card
    from qcode.serve.shared import Use


def keep_offline(loaded: Loaded) -> None:
    """If the settings say so: from here on nothing outside is reached."""
    if loaded.config.agent.offline == "on":
        from qcode.cli import offline  # noqa: PLC0415 - a run that is online needs nothing of it

        offline.keep(loaded.config)


class Door(msgspec.Struct):
    """Makes the sessions that the app wants."""

    options: Options
    project: Project
    loaded: Loaded
    places: Paths
    use: "Use | None" = None
    """A server of our own."""

    def settle(self, word: Literal["trust", "without"]) -> str:
        """See `Configured.settle`."""
        project = self.project
        if word == "trust":
            self.project = accepted(project)
            self.loaded = settings(self.project, flags(self.options))
        try:
            if word == "trust":
                keep(self.places.state, project.folder, project.pieces)
            else:
                decline(self.places.state, project.folder, project.digest)
        except ConfigError as error:
            return str(error)
        return ""

    def peek(self, session_id: str) -> tuple[AnyEvent, ...]:
        """See `Home.peek`."""
        from qcode.session.store import Store  # noqa: PLC0415 - a new session needs none

        events = Store(self.places.sessions).open(session_id).events
        return tuple(event for event in events if isinstance(event, Event))

    def report(self, session_id: str) -> Report:
        """See `Home.report`."""
        from qcode.cli.bug import report  # noqa: PLC0415 - seldom wanted
        from qcode.config.paths import make  # noqa: PLC0415 - the same
        from qcode.headless.save import save  # noqa: PLC0415 - the same

        text = report(self.project.folder, self.places, session_id)
        target = make(self.places.state) / "bug.md"
        save(target, text.rstrip("\n"))
        return Report(target, text)

    def serve(self, model: str, say: Callable[[str], None], loads: Callable[[str], None]) -> str:
        """See `Home.serve`."""
        from qcode.cli.embedded import for_app  # noqa: PLC0415 - a run with a server needs none

        use, card = for_app(model, say, loads)
        self.options = replace(self.options, gguf=model)
        self._stand_on(use, card, card.alias)
        return card.alias

    def ahead(self, say: Callable[[str], None], loads: Callable[[str], None]) -> None:
        """See `Home.ahead`."""
        from qcode.cli.embedded import found_for_app  # noqa: PLC0415 - see `serve`

        if self.options.gguf is not None:
            self.serve(self.options.gguf, say, loads)
        elif found := found_for_app(self.loaded.config.server, say, loads):
            use, card = found
            self._stand_on(use, card, self.options.model or card.alias)

    def _stand_on(self, use: "Use", card: "Card", model: str) -> None:
        from qcode.cli.embedded import over  # noqa: PLC0415 - see `serve`

        self.close()
        self.use = use
        self.options = over(replace(self.options, model=model), use, card)
        self.loaded = settings(self.project, flags(self.options))

    def again(self) -> str:
        """See `Home.again`."""
        if self.options.gguf is None:
            return ""
        from qcode.cli.embedded import again  # noqa: PLC0415 - see `serve`

        return again(self.options.gguf)

    def close(self) -> None:
        """Let go of what was served."""
        if self.use is not None:
            self.use.close()

    def leave(self) -> None:
        """The same behind the app: if it has failed, why is told."""
        if self.use is not None:
            from qcode.cli.embedded import tell_failure  # noqa: PLC0415 - see `serve`

            tell_failure(self.use)
            self.close()

    async def examine(self, wanted: Examination) -> "Examined":
        """See `Home.examine`."""
        from qcode.cli.doctor_app import examine  # noqa: PLC0415 - seldom wanted

        return await examine(wanted, self.loaded, self.places.state)

    def open(self, wanted: Wanted) -> Opened:
        """See `Home.open`."""
        # Deferred: these are most of qcode, and this runs in a thread behind the first paint.
        from qcode.assemble import assemble  # noqa: PLC0415 - reason above
        from qcode.cli.held import held  # noqa: PLC0415 - the same
        from qcode.cli.opening import remarks, start  # noqa: PLC0415 - the same

        said, folder, loaded = self._settings(wanted)
        keep_offline(loaded)
        session = self._session(wanted, folder)
        try:
            begin = start(said, loaded, folder, session, "present")
            engine = assemble(loaded.config, begin)
        except BaseException:  # nobody else will close it
            if session.log is not None:
                session.log.close()
            raise
        notices = (*remarks(loaded), *([session.loss] if session.loss else ()))
        session_id = session.log.session_id if session.log else ""
        lists = held(loaded, begin.rules, begin.api_key)
        return Opened(engine, session.past, session_id, notices, lists)

    def _settings(self, wanted: Wanted) -> tuple[Options, Path, Loaded]:
        if wanted.demo is not None:
            return self._demo(wanted, wanted.demo)
        if not wanted.base_url:
            return self.options, self.project.folder, self.loaded
        own_key = own_server.key_at(wanted.base_url)
        said = replace(self.options, base_url=wanted.base_url, own_key=own_key, revive=None)
        return said, self.project.folder, settings(self.project, flags(said))

    def _demo(self, wanted: Wanted, folder: Path) -> tuple[Options, Path, Loaded]:
        """Nothing of the person's: a rule or a model of theirs would lead away from the script."""
        from qcode.cli.args import parse  # noqa: PLC0415 - a demo is rare
        from qcode.demo.script import MODEL  # noqa: PLC0415 - the same

        said = replace(
            parse(["--no-session"]),
            base_url=wanted.base_url,
            model=MODEL,
            offline=self.loaded.config.agent.offline == "on",
        )
        nowhere = folder / ".no-settings"
        return said, folder, load(Sources(nowhere, None, {}, flags(said)))

    def _session(self, wanted: Wanted, folder: Path) -> "Session":
        from qcode.cli.opening import Session, going_on  # noqa: PLC0415 - see `open`
        from qcode.session.store import Store  # noqa: PLC0415 - see `open`

        store = Store(self.places.sessions)
        if not wanted.resume:
            none_kept = self.options.no_session or wanted.demo is not None
            return Session() if none_kept else Session(store.create(folder))
        if wanted.fork:
            resumed = store.fork(wanted.resume, before_turn=wanted.before_turn)
        else:
            resumed = store.resume(wanted.resume)
        return going_on(resumed, folder, wanted.resume, self.again())
