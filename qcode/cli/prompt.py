"""`qcode -p`: from flags to a headless run."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from qcode.assemble import Start, assemble, gives_up_sandbox
from qcode.cli.attach import pictures
from qcode.cli.debug import log_to_file
from qcode.cli.options import Options
from qcode.cli.rules import rules
from qcode.config.load import Loaded, load, sources
from qcode.config.paths import paths
from qcode.config.secrets import endpoint_key
from qcode.engine.limits import Limits
from qcode.engine.prompt import with_data
from qcode.headless.exits import ExitCode
from qcode.headless.run import Form
from qcode.headless.run import run as run_headless
from qcode.headless.save import check, save
from qcode.headless.signals import ends_before_a_turn, enough
from qcode.headless.stdin import prompt_and_data
from qcode.headless.talk import talk, whole
from qcode.permission.modes import PRESETS
from qcode.permission.patterns import Ground
from qcode.protocol.errors import InputError, QcodeError, SessionError
from qcode.protocol.inputs import Prompt
from qcode.session.conversation import Conversation, fold
from qcode.session.log import Log
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
    folder = _folder(options.folder)
    loaded = load(sources(folder, _flags(options)))
    _tell(loaded, options)
    prompt, data = prompt_and_data(options.prompt)
    words = with_data(prompt, data) if data else prompt
    given = Prompt(words, pictures(prompt, options.images, folder))
    log, conversation = _session(options, folder)
    try:
        start = _start(options, loaded, folder, (log, conversation))
        _tell_of_commands(loaded, options)
        form = Form(
            "json" if options.output_format == "json" else "text",
            target,
            "quiet" if options.quiet else "shown",
        )
        return int(asyncio.run(_headless(loaded, start, given, form)))
    finally:
        if log is not None:
            log.close()


async def _headless(loaded: Loaded, start: Start, prompt: Prompt, form: Form) -> int:
    code = await run_headless(assemble(loaded.config, start), prompt, form)
    if code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
        enough()
    return int(code)


def _folder(wanted: Path | None) -> Path:
    folder = (wanted or Path.cwd()).expanduser()
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder. -C names the folder to work in.")
    return folder.resolve()


def _flags(options: Options) -> Mapping[str, tuple[str, object]]:
    """The flags that are settings, under the settings' names."""
    said = {
        "server.model": ("--model", options.model),
        "server.base_url": ("--base-url", options.base_url),
        "agent.thinking": ("--think", options.thinking),
        "agent.append_system_prompt": ("--append-system-prompt", options.append_system_prompt),
        "agent.verify": ("--verify", options.verify),
        "agent.verify_tries": ("--verify-tries", options.verify_tries),
        "agent.max_steps": ("--max-turns", options.max_turns),
        "agent.loops": ("--loops", options.loops),
        "agent.unattended": ("--unattended", "on" if options.unattended else None),
        "permission.mode": ("--permission-mode", options.permission_mode),
        "permission.sandbox": ("--sandbox", options.sandbox),
    }
    return {key: (flag, value) for key, (flag, value) in said.items() if value is not None}


def _tell(loaded: Loaded, options: Options) -> None:
    """What a person should know before anything runs."""
    for notice in loaded.notices:
        talk(notice)
    if loaded.proposed_verify and not loaded.config.agent.verify:
        command = loaded.proposed_verify.value
        talk(
            f"this project proposes to verify with {command!r}; it is not run unless you "
            "say --verify."
        )
    permission = loaded.config.permission
    preset = PRESETS.get(permission.mode)
    if preset and preset.mode == "auto" and gives_up_sandbox(permission):
        talk("commands run without a sandbox and without being asked about.")
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


def _session(options: Options, folder: Path) -> tuple[Log | None, Conversation]:
    """The session that goes on, or a new one."""
    goes_on = options.continue_ or options.resume is not None
    if options.fork and not goes_on:
        raise InputError("--fork-session needs --continue or --resume: it copies a session.")
    if options.no_session:
        if goes_on:
            raise InputError("--no-session and --continue or --resume exclude each other.")
        return None, Conversation()
    store = Store(paths().sessions)
    if not goes_on:
        return store.create(folder), Conversation()
    session_id = store.find(options.resume, folder) if options.resume else store.latest(folder)
    resumed = store.fork(session_id) if options.fork else store.resume(session_id)
    if loss := resumed.opened.loss:
        talk(loss)
    conversation = fold(resumed.opened.events)
    if Path(conversation.folder) != folder:
        resumed.log.close()
        raise SessionError(
            f"The session {session_id} belongs to {conversation.folder}. "
            f"Go on there: qcode -C {conversation.folder} --resume {session_id} -p '…'"
        )
    return resumed.log, conversation


def _start(
    options: Options, loaded: Loaded, folder: Path, session: tuple[Log | None, Conversation]
) -> Start:
    config = loaded.config
    key = endpoint_key(config.server.base_url, config.server.api_key_env, os.environ)
    return Start(
        folder=folder,
        add_dirs=tuple(_added(path) for path in options.add_dirs),
        log=session[0],
        conversation=session[1],
        rules=rules(loaded, Ground.of(folder), options.allowed_tools, options.disallowed_tools),
        api_key=key.value if key else "",
        sampling=options.sampling,
        said=loaded.said,
        verify="always" if options.verify else "changed",
        limits=Limits(
            max_steps=config.agent.max_steps,
            max_tool_calls=options.max_tool_calls,
            max_wall_seconds=options.max_wall_seconds,
            max_tokens=options.max_tokens_total,
        ),
    )


def _added(path: Path) -> Path:
    if not path.is_dir():
        raise InputError(f"--add-dir {path}: there is no such folder.")
    return path.resolve()
