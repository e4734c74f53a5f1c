"""`qcode serve MODEL --print FORM`: a command line or a service file, and nothing is started."""

import os
import sys

from msgspec.structs import replace

from qcode.cli import planning
from qcode.config.model import Config
from qcode.config.paths import paths
from qcode.headless.talk import talk
from qcode.protocol.errors import InputError
from qcode.serve.base import Plan, Wants
from qcode.serve.catalog import Needs, catalog, unseen
from qcode.serve.hubfiles import named
from qcode.serve.printing import NO_FILE, printed
from qcode.serve.source import located


def show(model: str, form: str, wants: Wants, config: Config) -> int:
    """Print it; remarks go to stderr. Returns the exit code. Raises QcodeError."""
    slots = f"{paths().state / 'slots'}/"  # llama.cpp puts names right behind it
    planned = _planned(model, form, replace(wants, slot_folder=slots), config)
    for remark in planned.remarks:
        talk(remark)
    sys.stdout.write(printed(form, planned))
    return 0


def _planned(model: str, form: str, wants: Wants, config: Config) -> Plan:
    """By the file, or by the table where it is not here. Raises InputError."""
    needs: Needs = "its name" if form in NO_FILE else "its GGUF"
    try:
        file = located(model, os.environ)
    except InputError:
        known = unseen(named(model), needs, catalog()) if model.startswith("hf:") else None
        if known is None:
            raise
        return planning.plan_unseen(known, wants, config)
    return planning.plan_to_print(file, wants, config)
