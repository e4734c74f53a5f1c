"""A model of the hub that is to be served and is not here yet: at a terminal it can be fetched at
once. Anywhere else, and inside the app, a sentence names the command.
"""

import os
import sys

from qcode.config.load import load, sources
from qcode.protocol.errors import InputError
from qcode.protocol.text import one_line
from qcode.serve.source import located


def offer(model: str) -> None:
    """Download `model` if a person says so. Raises QcodeError where that fails."""
    if not model.startswith("hf:") or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    from qcode.serve.hubfiles import named  # noqa: PLC0415 - most name a path

    wanted = named(model)  # without a quantisation it is not known what to ask about
    is_offline = load(sources()).config.agent.offline == "on"
    if wanted.quant and not _is_here(model) and not is_offline and _is_wanted(model):
        from qcode.cli.models_pull import fetched  # noqa: PLC0415 - the library takes its time

        fetched(wanted, "main", "ask")


def _is_here(model: str) -> bool:
    try:
        located(model, os.environ)
    except InputError:
        return False
    return True


def _is_wanted(model: str) -> bool:
    sys.stderr.write(f"qcode: {one_line(model, 120)} is not on this machine. Download it? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
