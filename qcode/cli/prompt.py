"""`qcode -p`, once its server is known: from flags to a headless run."""

import asyncio
from pathlib import Path

from qcode.cli import foreign, offline, streaming
from qcode.cli.debug import log_to_file
from qcode.cli.embedded import again
from qcode.cli.opening import Session, going_on, remarks, start
from qcode.cli.options import Options
from qcode.cli.quick import quick
from qcode.cli.settings import flags, workspace
from qcode.cli.trusting import of_run, settings
from qcode.cli.which import which
from qcode.config.load import Loaded
from qcode.config.paths import paths
from qcode.engine.start import Start
from qcode.headless.exits import ExitCode
from qcode.headless.run import Form
from qcode.headless.run import run as run_headless
from qcode.headless.signals import enough
from qcode.headless.talk import talk
from qcode.protocol.inputs import Prompt
from qcode.session.store import Store


def answer(options: Options, target: Path | None) -> int:
    """One prompt; returns the exit code. `target` gets the final message; what `options` say was
    checked. Raises QcodeError for what ends it before a turn."""
    folder = workspace(options.folder)
    loaded = settings(of_run(folder, options), flags(options))
    offline.keep(loaded.config)
    _tell(loaded, options)
    given = streaming.given(options, folder)
    kept = session(options, folder)
    try:
        begin = start(options, loaded, folder, kept, streaming.person(options))
        if given is None or streaming.is_streamed(options):
            return _ended(streaming.streamed(loaded, begin, given, options))
        form = Form(
            "json" if options.output_format == "json" else "text",
            target,
            "quiet" if options.quiet else "shown",
            again(options.gguf),
        )
        return int(asyncio.run(_headless(loaded, begin, given, form)))
    finally:
        if kept.log is not None:
            kept.log.close()


async def _headless(loaded: Loaded, begin: Start, prompt: Prompt, form: Form) -> int:
    with quick():
        import qcode.server.network  # noqa: F401, PLC0415 - what the first request needs
        from qcode.assemble import assemble  # noqa: PLC0415 - lines of JSON begin before it

    return _ended(await run_headless(assemble(loaded.config, begin), prompt, form))


def _ended(code: ExitCode) -> int:
    if code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
        enough()
    return int(code)


def _tell(loaded: Loaded, options: Options) -> None:
    """What a person should know before anything runs."""
    for remark in remarks(loaded):
        talk(remark)
    if told := foreign.told(options.foreign):
        talk(told)
    log = log_to_file(paths().log_file, "debug" if options.debug else loaded.config.log.level)
    if options.debug:
        log.open_now()
        talk(f"the log file is {log.baseFilename}")


def session(options: Options, folder: Path) -> Session:
    """The session that goes on, or a new one."""
    store = Store(paths().sessions)
    session_id = which(options, store, folder)
    if not session_id:
        return (
            Session()
            if options.no_session
            else Session(store.create(folder, options.session_id or ""))
        )
    resumed = store.fork(session_id) if options.fork else store.resume(session_id)
    found = going_on(resumed, folder, session_id, f"{again(options.gguf)} -p '…'")
    if found.loss:
        talk(found.loss)
    return found
