"""`qcode` in a terminal: from flags to the app.

What the first paint does not need is imported in the thread that opens the session.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from qcode.cli import own_server
from qcode.cli.debug import log_to_file
from qcode.cli.options import Options
from qcode.cli.screen import draw_on_terminal
from qcode.cli.settings import flags, workspace
from qcode.cli.trusting import Project, accepted, of_run, settings
from qcode.config.files import PROPOSED
from qcode.config.load import Loaded, Sources, load
from qcode.config.paths import Paths, paths
from qcode.config.trusted import decline, keep
from qcode.protocol.errors import ConfigError, InputError, UsageError
from qcode.protocol.events import AnyEvent, Event
from qcode.protocol.inputs import Prompt
from qcode.tui.home import Configured, Examination, Home, Opened, Report, Wanted

if TYPE_CHECKING:
    from qcode.cli.opening import Session
    from qcode.doctor.report import Report as Examined
    from qcode.serve.shared import Use


def run(options: Options) -> int:
    """The app, to its end; returns the exit code. Raises QcodeError."""
    _check(options)
    if options.gguf is None and not own_server.any_told_of():
        return _run(options)
    from qcode.cli.embedded import embedded  # noqa: PLC0415 - a run with a server needs none of it

    with embedded(options) as served:
        return _run(served)


def _run(options: Options) -> int:
    folder = workspace(options.folder)
    places = paths()
    project = of_run(folder, options)
    loaded = settings(project, flags(options))
    _keep_offline(loaded)
    log_to_file(places.log_file, "debug" if options.debug else loaded.config.log.level)
    door = _Door(options, project, loaded, places)
    home = Home(
        folder,
        door.open,
        places.state,
        places.sessions,
        door.peek,
        door.report,
        door.examine,
        None if sys.platform == "win32" else door.serve,
        themes=(places.config / "themes",),
        configured=_configured(project, door) if project.asks else None,
        again=door.again,
    )
    dumb = os.environ.get("TERM") == "dumb"  # it can move no cursor: Emacs' shell, some CI
    show = _plain if options.plain or dumb else _full_screen
    try:
        return show(home, _wanted(options, folder, places), _first(options, folder))
    finally:
        door.close()


def _keep_offline(loaded: Loaded) -> None:
    if loaded.config.agent.offline == "on":
        from qcode.cli import offline  # noqa: PLC0415 - a run that is online needs nothing of it

        offline.keep(loaded.config)


def _check(options: Options) -> None:
    """Raises UsageError, InputError: what only makes sense with -p, or cannot be asked here."""
    if options.output_format != "text" or options.last_message or options.quiet:
        raise UsageError("--output-format, -o and -q go with -p: qcode -p 'your prompt'.")
    if options.prompt_tool or options.partial or options.replay:
        raise UsageError(
            "--permission-prompt-tool and its like go with --output-format stream-json."
        )
    if options.schema:
        raise UsageError("--json-schema goes with -p: qcode -p 'your prompt'.")
    if options.prompt == "-":
        raise InputError("There is nothing to read: stdin is the terminal. qcode starts the app.")
    if options.images and not options.prompt:
        raise InputError("A picture goes with a prompt: qcode -i shot.png 'what is wrong here?'")


def _wanted(options: Options, folder: Path, places: Paths) -> Wanted:
    """The session to begin with: one that is not there is told before the screen changes."""
    if not (options.continue_ or options.resume is not None or options.fork):
        return Wanted()
    from qcode.cli.which import which  # noqa: PLC0415 - a new session is looked for nowhere
    from qcode.session.store import Store  # noqa: PLC0415 - the same

    return Wanted(which(options, Store(places.sessions), folder), options.fork)


def _first(options: Options, folder: Path) -> Prompt | None:
    if not options.prompt:
        return None
    from qcode.cli.attach import pictures  # noqa: PLC0415 - only for a prompt on the command line

    return Prompt(options.prompt, pictures(options.prompt, options.images, folder))


def _configured(project: Project, door: "_Door") -> Configured:
    """The question that the app asks first."""
    from qcode.cli.trust_shown import assignment, changes, would  # noqa: PLC0415 - seldom asked

    sets, left_out = would(project)
    proposed = "  (proposed: runs only with --verify)"
    return Configured(
        tuple(
            f"{assignment(*one)}{proposed if one[0] == PROPOSED else ''}" for one in sets.items()
        ),
        left_out,
        tuple(changes(project)),
        project.entry.since,
        door.settle,
    )


def _full_screen(home: Home, wanted: Wanted, first: Prompt | None) -> int:
    # Read when Textual loads. At its usual 60 a key may wait 16 ms for the next repaint; nothing is
    # painted more often for it (the conversation keeps to 30), but what is due is painted sooner.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    draw_on_terminal()
    # Deferred: Textual takes most of the time to the first paint, and errors above need none of it.
    from qcode.tui.app import QcodeApp  # noqa: PLC0415 - reason above

    app = QcodeApp(home, wanted, first)
    code = app.run()
    if app.failure is not None:
        raise app.failure
    sys.stdout.write(app.farewell())
    return code if code is not None else app.return_code or 0


def _plain(home: Home, wanted: Wanted, first: Prompt | None) -> int:
    from qcode.tui.plain import run_plain  # noqa: PLC0415 - one of two front ends

    if home.configured is not None and sys.stdin.isatty() and sys.stdout.isatty():
        from qcode.tui.plain_trust import settle  # noqa: PLC0415 - few folders configure

        settle(home.configured)
    return asyncio.run(run_plain(home, wanted, first))


class _Door(msgspec.Struct):
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
        self.close()
        self.use = use
        self.options = replace(
            self.options, base_url=card.base_url, model=card.alias, own_key=card.key, gguf=model
        )
        self.loaded = settings(self.project, flags(self.options))
        return card.alias

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
        _keep_offline(loaded)
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
        said = replace(
            self.options, base_url=wanted.base_url, own_key=own_server.key_at(wanted.base_url)
        )
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
