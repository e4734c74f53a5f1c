"""`qcode serve`: a model file served here, for every qcode of the user. Arguments, no more.

Results go to stdout, talk about them to stderr. `--json` is for scripts: fields are only added.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from qcode.cli import serve_foreground, serve_tables
from qcode.cli.fetching import offer
from qcode.cli.parser import parsed, positive
from qcode.cli.serving import asked, folder
from qcode.config.load import load, sources
from qcode.config.model import Config
from qcode.protocol.errors import InputError, ServerGone, UsageError
from qcode.serve import shared
from qcode.serve.base import KvType, Wants
from qcode.serve.card import Card, Place, place_of
from qcode.serve.printing import FORMS
from qcode.serve.source import located

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]

Running = tuple[Place, Card]

DESCRIPTION = """\
Serve a model file with the flags that fit this machine, each with its reason.
It listens on this machine alone, and only your own qcodes have its key: they
share it, start it again after a crash, and end it when none of them has been
open for serve.idle_minutes. While one is open it stays; with nothing asked for
serve.sleep_minutes the model leaves the memory until the next prompt (0 =
never).

  qcode serve ~/models/Qwen3.6-35B-A3B-UD-Q4_K_XL.gguf
  qcode serve hf:unsloth/Qwen3.6-35B-A3B-GGUF:UD-Q4_K_XL --print llama-server
  qcode --gguf MODEL           the same server, started and ended by itself

serve.flags in the settings adds flags of llama-server or takes their place,
each with its value in one string or in two:

  [serve]
  flags = ["--threads 4", "--batch-size", "256"]
"""


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    return run(parsed("serve", add, argv))


def add(parser_group: "Group") -> None:
    """Declare `serve`."""
    parser = parser_group.add_parser(
        "serve",
        help="serve a model file, for every qcode of yours",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", nargs="?", default="", help="a GGUF file, or hf:REPO:QUANT")
    _wishes(parser)
    parser.add_argument(
        "--print", choices=FORMS, metavar="FORM", help=f"print it instead: {', '.join(FORMS)}"
    )
    parser.add_argument("--status", action="store_true", help="what runs now, and who uses it")
    parser.add_argument("--stop", action="store_true", help="end MODEL's server, or all of yours")
    parser.add_argument("--json", action="store_true", help="for scripts")


def _wishes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--context", type=positive, metavar="N", help="tokens of a conversation")
    parser.add_argument("--slots", type=positive, metavar="N", help="conversations at once")
    parser.add_argument("--kv-type", choices=get_args(KvType), help="of the cache")
    parser.add_argument("--vision", action="store_true", help="with the projector beside the model")
    parser.add_argument("--mtp", choices=("auto", "on", "off"), default="auto", help="drafting")


def run(arguments: argparse.Namespace) -> int:
    """Do it; returns the exit code. Raises QcodeError."""
    config = load(sources()).config
    if arguments.status:
        return _status(arguments)
    if arguments.stop:
        return _stop(arguments)
    if arguments.print and arguments.json:
        raise UsageError("--print has its own form, --json another. Say one.")
    if not arguments.model:
        raise UsageError("MODEL is missing: qcode serve MODEL.gguf, or hf:REPO:QUANT.")
    wants = _wants(arguments, config)
    if arguments.print:
        # deferred: who starts a server or joins one needs no forms
        from qcode.cli.serve_printing import show  # noqa: PLC0415

        return show(arguments.model, arguments.print, wants, config)
    offer(arguments.model)
    wanted = asked(arguments.model, config, wants)
    return serve_foreground.serve(wanted, "json" if arguments.json else "text")


def _wants(arguments: argparse.Namespace, config: Config) -> Wants:
    return Wants(
        context_tokens=arguments.context or config.serve.context_tokens or None,
        slots=arguments.slots,
        kv_type=arguments.kv_type,
        vision=arguments.vision,
        mtp=arguments.mtp,
    )


def _status(arguments: argparse.Namespace) -> int:
    running = list(shared.servers(folder()))
    found = _meant(arguments.model, running) if arguments.model else running
    if arguments.json:
        sys.stdout.write(serve_tables.as_json(found))
    else:
        sys.stdout.write(serve_tables.table(found))
    return 0


def _stop(arguments: argparse.Namespace) -> int:
    model: str = arguments.model
    running = list(shared.servers(folder()))
    found = _meant(model, running) if model else running
    for place, card in found:
        if not shared.stop(place):
            raise ServerGone(f"{card.alias} does not end: kill {card.pid} {card.engine_pid}")
        if not arguments.json:
            sys.stdout.write(f"{card.alias} was ended.\n")
    if arguments.json:
        sys.stdout.write(serve_tables.ended_json(found))
    elif not found:
        sys.stdout.write("No server of yours runs.\n")
    return 0


def _meant(model: str, running: list[Running]) -> list[Running]:
    """By the name that is shown, by the path that it was started with (the file may be gone), or
    by the file. Raises InputError for what is none of these."""
    path = str(Path(model).expanduser().absolute())
    if found := [one for one in running if model == one[1].alias or path == one[1].model]:
        return found
    try:
        file = place_of(folder(), located(model, os.environ)).file_id
    except InputError:
        file = ""
    if found := [one for one in running if one[0].file_id == file]:
        return found
    names = ", ".join(card.alias for _, card in running) or "none at all"
    raise InputError(f"No server of yours runs for {model}. There is: {names}.")
