"""`qcode` in a terminal: from flags to the app.

What the first paint does not need is imported in the thread that opens the session.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from qcode.cli import own_server
from qcode.cli.debug import log_to_file
from qcode.cli.door import Door, keep_offline
from qcode.cli.options import Options
from qcode.cli.screen import draw_on_terminal
from qcode.cli.settings import flags, workspace
from qcode.cli.trusting import Project, of_run, settings
from qcode.config.files import PROPOSED
from qcode.config.paths import Paths, paths
from qcode.protocol.errors import InputError, UsageError
from qcode.protocol.inputs import Prompt
from qcode.tui.home import Configured, Home, Wanted

Show = Callable[[Home, Wanted, Prompt | None], int]


def run(options: Options) -> int:
    """The app, to its end; returns the exit code. Raises QcodeError."""
    _check(options)
    # A terminal that can move no cursor: Emacs' shell, some CI.
    plain = options.plain or os.environ.get("TERM") == "dumb"
    serves = options.gguf is not None or own_server.any_told_of()
    if not plain:
        if options.gguf is not None:  # once the app has the terminal, nobody can be asked so
            from qcode.cli.fetching import offer  # noqa: PLC0415 - a run with a server needs none

            offer(options.gguf)
        return _run(options, _full_screen, "ahead" if serves else "no")
    if not serves:
        return _run(options, _plain, "no")
    from qcode.cli.embedded import embedded  # noqa: PLC0415 - a run with a server needs none of it

    with embedded(options) as served:
        return _run(served, _plain, "no")


def _run(options: Options, show: Show, serves: Literal["ahead", "no"]) -> int:
    folder = workspace(options.folder)
    places = paths()
    project = of_run(folder, options)
    loaded = settings(project, flags(options))
    keep_offline(loaded)
    log_to_file(places.log_file, "debug" if options.debug else loaded.config.log.level)
    door = Door(options, project, loaded, places)
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
        ahead=door.ahead if serves == "ahead" else None,
        again=door.again,
    )
    try:
        return show(home, _wanted(options, folder, places), _first(options, folder))
    finally:
        door.leave()


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
    if options.gguf is not None:
        from qcode.cli.embedded import check  # noqa: PLC0415 - a run with a server needs none of it

        check(options.base_url, options.model)
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


def _configured(project: Project, door: Door) -> Configured:
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
