"""`qcode -p` with lines of JSON: from flags to a run that a program drives."""

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from qcode.cli import foreign
from qcode.cli.attach import pictures
from qcode.cli.options import Options
from qcode.cli.quick import quick
from qcode.config.load import Loaded
from qcode.config.model import Config
from qcode.engine.prompt import with_data
from qcode.engine.start import Start
from qcode.fencing import Footing, footing, gives_up_sandbox
from qcode.headless.exits import ExitCode
from qcode.headless.frames import mode_word, new_id
from qcode.headless.opening import APPROVAL_SECONDS, Opening, Shape, StreamForm
from qcode.headless.run import Engine
from qcode.headless.stdin import prompt_and_data
from qcode.headless.stream import run as run_stream
from qcode.permission.modes import PRESETS
from qcode.protocol.errors import InputError
from qcode.protocol.inputs import Prompt
from qcode.protocol.text import well_formed
from qcode.sandbox.passing import pass_away


def is_streamed(options: Options) -> bool:
    """Whether the result is more than one object."""
    return options.output_format in ("stream-json", "json-array")


def person(options: Options) -> Literal["present", "absent"]:
    """Whoever drives the run may be asked."""
    return "present" if options.prompt_tool == "stdio" else "absent"


def given(options: Options, folder: Path) -> Prompt | None:
    """The prompt; None = whoever drives the run says it on stdin."""
    if options.input_format == "stream-json":
        if options.prompt in (None, "", "-"):
            return None
        return Prompt(options.prompt, pictures(options.prompt, options.images, folder))
    prompt, data = prompt_and_data(options.prompt)
    words = with_data(prompt, data) if data else prompt
    return Prompt(words, pictures(prompt, options.images, folder))


def streamed(loaded: Loaded, begin: Start, prompt: Prompt | None, options: Options) -> ExitCode:
    """All of the run."""
    asks, config = _asking(loaded.config, person(options))
    wait_seconds = _wait_seconds()
    stands = footing(config, begin)
    try:
        sandbox: Literal["on", "off"] = "off" if gives_up_sandbox(config.permission) else "on"
        opening = Opening(
            begin.log.session_id if begin.log else new_id(),
            well_formed(str(begin.folder)),
            tuple(tool.name for tool in stands.tools),
            mode_word(stands.mode, asks, sandbox),
            config.server.model,
            sandbox,
            options.mcp_servers,
            foreign.told(options.foreign),
        )
        form = replace(_form(options, opening, wait_seconds), asks=asks, talk=begin.conversation)
        return asyncio.run(run_stream(partial(_engine, config, begin, stands), prompt, form))
    finally:  # the engine's to take away; but there may be none
        pass_away(stands.spill)


def _form(options: Options, opening: Opening, wait_seconds: float) -> StreamForm:
    return StreamForm(
        opening,
        Shape(
            "shown" if options.partial else "left out", "shown" if options.replay else "left out"
        ),
        "json-array" if options.output_format == "json-array" else "stream-json",
        "stream-json" if options.input_format == "stream-json" else "text",
        "stdio" if options.prompt_tool == "stdio" else "nobody",
        wait_seconds,
        options.last_message.absolute() if options.last_message else None,
        sentence=_sentence,
    )


def _sentence(error: BaseException) -> str:
    from qcode.cli import failure  # noqa: PLC0415 - only a failure needs it

    return failure.sentence(error)[0]


def _engine(config: Config, begin: Start, stands: Footing) -> Engine:
    with quick():
        import qcode.server.network  # noqa: F401, PLC0415 - what the first request needs
        from qcode.assemble import assemble  # noqa: PLC0415 - half of a start: the first line waits

    return assemble(config, begin, stands)


def _asking(
    config: Config, person: Literal["present", "absent"]
) -> tuple[Literal["ask", "deny"], Config]:
    """`dontAsk` where a host could be asked is the host's to change: it is `ask`, and each question
    is denied in the host's name, until it chooses another mode."""
    preset = PRESETS.get(config.permission.mode)
    asks = preset.asks if preset else "ask"
    if asks == "deny" and person == "present":
        permission = replace(config.permission, mode="ask")
        config = replace(config, permission=permission)
    return asks, config


def _wait_seconds() -> float:
    said = os.environ.get("QCODE_APPROVAL_SECONDS", "")
    try:
        return float(said) if said else APPROVAL_SECONDS
    except ValueError:
        raise InputError(
            f"QCODE_APPROVAL_SECONDS is {said!r}. Write seconds, such as 600."
        ) from None
