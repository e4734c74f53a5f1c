"""`qcode -p` with lines of JSON: from flags to a run that a program drives."""

import os
import re
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

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
from qcode.protocol.errors import InputError, UsageError
from qcode.protocol.inputs import Prompt
from qcode.protocol.text import well_formed

OWN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{7,63}")


def check(options: Options) -> None:
    """Raises UsageError for flags that exclude each other, InputError for an id that is none."""
    lines_in = options.input_format == "stream-json"
    if lines_in and options.output_format != "stream-json":
        raise UsageError("--input-format stream-json needs --output-format stream-json.")
    if options.prompt_tool and not lines_in:
        raise UsageError("--permission-prompt-tool stdio needs --input-format stream-json.")
    if lines_in and options.images and not options.prompt:
        raise UsageError("--image goes with a prompt; in lines of JSON a picture is a block.")
    chosen = options.session_id or ""
    if chosen and not OWN_ID.fullmatch(chosen):
        raise InputError(
            f"--session-id {chosen!r} is no id. Give a UUID, or letters, digits and -."
        )
    if chosen and (options.continue_ or options.resume is not None):
        raise UsageError("--session-id is for a new session; --resume goes on with an old one.")


def is_streamed(options: Options) -> bool:
    """Whether the result is more than one object."""
    return options.output_format in ("stream-json", "json-array")


def person(options: Options) -> Literal["present", "absent"]:
    """Whoever drives the run may be asked."""
    return "present" if options.prompt_tool == "stdio" else "absent"


def given(options: Options, folder: Path) -> Prompt | None:
    """The prompt; None = whoever drives the run says it on stdin."""
    if options.input_format == "stream-json":
        if not options.prompt:
            return None
        return Prompt(options.prompt, pictures(options.prompt, options.images, folder))
    prompt, data = prompt_and_data(options.prompt)
    words = with_data(prompt, data) if data else prompt
    return Prompt(words, pictures(prompt, options.images, folder))


async def streamed(
    loaded: Loaded, begin: Start, prompt: Prompt | None, options: Options
) -> ExitCode:
    """All of the run."""
    asks, config = _asking(loaded.config, person(options))
    stands = footing(config, begin)
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
    form = StreamForm(
        opening,
        Shape(
            "shown" if options.partial else "left out", "shown" if options.replay else "left out"
        ),
        "json-array" if options.output_format == "json-array" else "stream-json",
        "stream-json" if options.input_format == "stream-json" else "text",
        "stdio" if options.prompt_tool == "stdio" else "nobody",
        _wait_seconds(),
        options.last_message.absolute() if options.last_message else None,
        asks,
        begin.conversation,
    )
    return await run_stream(partial(_engine, config, begin, stands), prompt, form)


def _engine(config: Config, begin: Start, stands: Footing) -> Engine:
    with quick():
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
        permission = msgspec.structs.replace(config.permission, mode="ask")
        config = msgspec.structs.replace(config, permission=permission)
    return asks, config


def _wait_seconds() -> float:
    said = os.environ.get("QCODE_APPROVAL_SECONDS", "")
    try:
        return float(said) if said else APPROVAL_SECONDS
    except ValueError:
        raise InputError(
            f"QCODE_APPROVAL_SECONDS is {said!r}. Write seconds, such as 600."
        ) from None
