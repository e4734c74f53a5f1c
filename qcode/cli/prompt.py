"""`qcode -p`: from flags to a headless run."""

import asyncio
from pathlib import Path

from qcode.assemble import Start, assemble
from qcode.cli.attach import pictures
from qcode.cli.debug import log_to_file
from qcode.cli.opening import Session, going_on, remarks, start
from qcode.cli.options import Options
from qcode.cli.settings import flags, workspace
from qcode.cli.trusting import of_run, settings
from qcode.cli.which import which
from qcode.config.load import Loaded
from qcode.config.paths import paths
from qcode.engine.prompt import with_data
from qcode.headless.exits import ExitCode
from qcode.headless.run import Form
from qcode.headless.run import run as run_headless
from qcode.headless.save import check, save
from qcode.headless.signals import ends_before_a_turn, enough
from qcode.headless.stdin import prompt_and_data
from qcode.headless.talk import talk, whole
from qcode.protocol.errors import QcodeError
from qcode.protocol.inputs import Prompt
from qcode.session.store import Store

SOME = "--allowed-tools 'Bash(pytest:*)'"
"""How some commands are allowed, for example."""


def run(options: Options) -> int:
    """One prompt; returns the exit code. Raises QcodeError for what ends it before a turn."""
    ends_before_a_turn()
    target = options.last_message.absolute() if options.last_message else None
    if target is not None:
        check(target)
    try:
        return _run(options, target)
    except QcodeError:
        if target is not None:
            save(target, "")  # the answer of an earlier run must not pass for this one's
        raise


def _run(options: Options, target: Path | None) -> int:
    folder = workspace(options.folder)
    loaded = settings(of_run(folder, options), flags(options))
    _tell(loaded, options)
    prompt, data = prompt_and_data(options.prompt)
    words = with_data(prompt, data) if data else prompt
    given = Prompt(words, pictures(prompt, options.images, folder))
    session = _session(options, folder)
    try:
        begin = start(options, loaded, folder, session, "absent")
        _tell_of_commands(loaded, options)
        form = Form(
            "json" if options.output_format == "json" else "text",
            target,
            "quiet" if options.quiet else "shown",
        )
        return int(asyncio.run(_headless(loaded, begin, given, form)))
    finally:
        if session.log is not None:
            session.log.close()


async def _headless(loaded: Loaded, begin: Start, prompt: Prompt, form: Form) -> int:
    code = await run_headless(assemble(loaded.config, begin), prompt, form)
    if code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
        enough()
    return int(code)


def _tell(loaded: Loaded, options: Options) -> None:
    """What a person should know before anything runs."""
    for remark in remarks(loaded):
        talk(remark)
    log = log_to_file(paths().log_file, "debug" if options.debug else loaded.config.log.level)
    if options.debug:
        log.open_now()
        talk(f"the log file is {log.baseFilename}")


def _tell_of_commands(loaded: Loaded, options: Options) -> None:
    """That none will run, to who did not choose: the model would only hear it call by call."""
    permission = loaded.config.permission
    chosen = permission.mode or permission.allow or options.allowed_tools
    ends = permission.sandbox == "required"  # that none holds is then an error, told as one
    if not chosen and not ends and not options.quiet:
        talk(
            "no sandbox holds here, so commands are denied. Allow some: "
            f"{whole(SOME)}; all: --permission-mode auto --sandbox off."
        )


def _session(options: Options, folder: Path) -> Session:
    """The session that goes on, or a new one."""
    store = Store(paths().sessions)
    session_id = which(options, store, folder)
    if not session_id:
        return Session() if options.no_session else Session(store.create(folder))
    resumed = store.fork(session_id) if options.fork else store.resume(session_id)
    session = going_on(resumed, folder, session_id, " -p '…'")
    if session.loss:
        talk(session.loss)
    return session
