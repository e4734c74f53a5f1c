"""`qcode -p`: what comes before a run, and what is left of it where it ends before a turn.

Light: a server of our own starts before the run itself is imported, and loads meanwhile.
"""

import importlib
import re
import sys

from qcode.cli.embedded import embedded
from qcode.cli.options import Options
from qcode.cli.quick import quick
from qcode.headless.save import check, save
from qcode.headless.signals import ends_before_a_turn
from qcode.protocol.errors import InputError, QcodeError, UsageError

OWN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{7,63}")

RUN = ("qcode.cli.prompt", "qcode.assemble", "qcode.server.network")
"""What a run imports up to its first request: longer than an engine takes to load a small model."""


def run(options: Options) -> int:
    """One prompt; returns the exit code. Raises QcodeError for what ends it before a turn."""
    ends_before_a_turn()
    check_flags(options)
    target = options.last_message.absolute() if options.last_message else None
    if target is not None:
        check(target)
    try:
        with embedded(options, load) as served:
            with quick():
                from qcode.cli import prompt  # noqa: PLC0415 - see above

            return prompt.answer(served, target)
    except QcodeError:
        if target is not None:
            save(target, "")  # the answer of an earlier run must not pass for this one's
        raise


def load() -> None:
    """Import what a run needs, while something else is waited for. What ends it halfway leaves no
    half of a module behind: the import of `asyncio` alone leaves some, and a failure is told by
    it."""
    before = set(sys.modules)
    try:
        with quick():
            for name in RUN:
                importlib.import_module(name)
    except BaseException:
        for name in set(sys.modules) - before:
            sys.modules.pop(name, None)
        raise


def check_flags(options: Options) -> None:
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
