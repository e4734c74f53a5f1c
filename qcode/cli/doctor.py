"""`qcode doctor`: what is wrong with the set-up here, measured, and the exact change.

Results go to stdout, talk about them to stderr. `--json` is for scripts: fields are only added.
Exit: 0 nothing is broken or slow, 1 something is, 75 no server (or it is at work), 130 interrupted.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from qcode.cli import doctor_screen, offline
from qcode.cli.doctor_kept import forget, keep
from qcode.cli.doctor_visit import InUse, Visit, own_side, visit
from qcode.cli.embedded import reached
from qcode.cli.parser import duration, parsed
from qcode.config.load import Loaded, load, sources
from qcode.config.paths import paths
from qcode.config.profiles import tuned
from qcode.config.secrets import endpoint_key
from qcode.doctor import markdown, report
from qcode.doctor.base import Probe
from qcode.doctor.examination import USUAL_SECONDS
from qcode.doctor.meeting import Address, found_at
from qcode.doctor.probes.table import DEEP, PROBES
from qcode.doctor.report import Report
from qcode.headless.exits import ExitCode, of_error
from qcode.headless.signals import ends_before_a_turn
from qcode.headless.talk import talk
from qcode.protocol.errors import (
    CredentialsRefused,
    InputError,
    ServerError,
    ServerGone,
    UnknownModel,
    UsageError,
)
from qcode.protocol.text import escaped
from qcode.server.endpoint import normalise
from qcode.server.known import Wishes

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]

EPILOG = (
    "exit codes: 0 nothing is broken or slow, 1 something is, 75 no server or it is at work, "
    "130 interrupted (what is known is printed)"
)
DEEP_SECONDS = 900.0
"""Where `--deep` is said and no time."""


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    return run(parsed("doctor", add, argv))


def add(parser_group: "Group") -> None:
    """Declare `doctor`."""
    parser = parser_group.add_parser(
        "doctor", help="what is wrong with the server, measured", epilog=EPILOG
    )
    parser.add_argument("--base-url", metavar="URL", help="this one; default: server.base_url")
    parser.add_argument("--gguf", metavar="MODEL", help="served by qcode: see qcode serve")
    parser.add_argument("--model", metavar="NAME", help="this model of it, or a profile")
    parser.add_argument(
        "--seconds", type=duration, metavar="N", help="at most so long; default: 60, deep: 900"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="CHECK", help="this check; may be repeated"
    )
    parser.add_argument("--deep", action="store_true", help="quality too: needle and edit")
    parser.add_argument("--list", action="store_true", help="the checks that there are")
    parser.add_argument("--anyway", action="store_true", help="also while the server is at work")
    parser.add_argument(
        "--forget",
        nargs="?",
        const="this",
        choices=("this", "all"),
        help="what was found before of this server, or of all",
    )
    parser.add_argument(
        "--compare", type=Path, metavar="FILE", help="beside an earlier report, made by --json"
    )
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="for scripts")
    forms.add_argument("--markdown", action="store_true", help="for a bug tracker")


def run(arguments: argparse.Namespace) -> int:
    """Examine and print; returns the exit code. Raises QcodeError."""
    probes = chosen(arguments.only)
    if arguments.list:
        sys.stdout.write(doctor_screen.listed(PROBES, DEEP))
        return ExitCode.OK
    if arguments.forget:
        if arguments.gguf:
            raise UsageError("--forget starts no server: --base-url names what is forgotten.")
        return _forget(arguments)
    ends_before_a_turn()  # a closed terminal: what was saved of the server's slot is put back
    if arguments.compare and arguments.markdown:
        raise UsageError("--compare goes with the screen or with --json, not with --markdown.")
    before = _earlier(arguments.compare) if arguments.compare else None
    with reached(arguments) as at:
        return _examine(at, probes, before)


def _forget(arguments: argparse.Namespace) -> int:
    """Of the server that would be examined; where none is named, that is asked for."""
    if arguments.forget == "all":
        return forget(paths().state, "")
    with reached(arguments) as at:
        loaded = _loaded(at)
        address = _address(at, loaded)
        base_url, model = address.base_url, address.model
        if not base_url:
            offline.keep(loaded.config)
            base_url, model = asyncio.run(found_at(address))
    return forget(paths().state, normalise(base_url), model)


def _examine(
    arguments: argparse.Namespace, probes: tuple[Probe, ...], before: Report | None
) -> int:
    loaded = _loaded(arguments)
    offline.keep(loaded.config)
    own = () if arguments.only else own_side(loaded.config)
    is_deep = arguments.deep or any(probe in DEEP for probe in probes)
    seconds = arguments.seconds or (DEEP_SECONDS if is_deep else USUAL_SECONDS)
    if not arguments.only:
        probes = (*PROBES, *(DEEP if is_deep else ()))
    wanted = Visit(probes, own, seconds, is_deep=is_deep, anyway=arguments.anyway)
    try:
        found = asyncio.run(visit(_address(arguments, loaded), wanted))
    except ServerError as error:
        _print(arguments, report.without_server(own, _why_not(error)), before)
        talk(str(error))
        return ExitCode.UNAVAILABLE if isinstance(error, InUse) else of_error(error)
    _print(arguments, found, before)
    if not arguments.only and not found.interrupted and keep(paths().state, found):
        is_read = not (arguments.json or arguments.markdown)
        sys.stdout.write(doctor_screen.from_now_on(found) if is_read else "")
    return _code(found)


def _why_not(error: ServerError) -> str:
    """Why nothing was examined, a clause."""
    match error:
        case InUse():
            return "the server is at work for somebody"
        case ServerGone():
            return "no server"
        case CredentialsRefused():
            return "the server refuses the key"
        case UnknownModel():
            return "the server has no such model"
    return "the server could not be asked"


def chosen(names: Sequence[str]) -> tuple[Probe, ...]:
    """The probes of these names; `tool-call` is `tool call`, for shells. Raises UsageError."""
    known = {probe.name: probe for probe in (*PROBES, *DEEP)}
    names = [name if name in known else name.replace("-", " ") for name in names]
    for name in names:
        if name not in known:
            raise UsageError(f"--only: there is no check {name!r}. There are {', '.join(known)}.")
    return tuple(known[name] for name in names)


def _code(found: Report) -> int:
    if found.interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.OK if found.is_well else ExitCode.FAILED


def _loaded(arguments: argparse.Namespace) -> Loaded:
    said = {
        "server.base_url": ("--base-url", arguments.base_url),
        "server.model": ("--model", arguments.model),
    }
    return load(sources({key: (flag, value) for key, (flag, value) in said.items() if value}))


def _address(arguments: argparse.Namespace, loaded: Loaded) -> Address:
    server = loaded.config.server
    # the configured name belongs to the configured address
    is_its = server.base_url and not arguments.base_url
    own = arguments.own_key
    key = None if own else endpoint_key(server.base_url, server.api_key_env, os.environ)

    def context(model: str) -> int:
        return tuned(loaded.config, model, loaded.said).server.context_tokens

    return Address(
        server.base_url,
        key.value if key else own,
        server.model if arguments.model or is_its else "",
        Wishes(None if server.history == "auto" else server.history, context),
    )


def _earlier(file: Path) -> Report:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Report)
    except OSError as error:
        raise InputError(f"--compare {file} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:  # msgspec's own errors are some
        raise InputError(
            f"--compare {file} is no report of qcode doctor --json ({error})."
        ) from error


def _print(arguments: argparse.Namespace, found: Report, before: Report | None) -> None:
    if arguments.json:
        told = report.beside(before, found) if before else found
        text = msgspec.json.format(msgspec.json.encode(told), indent=2).decode()
        sys.stdout.write(escaped(text) + "\n")
    elif arguments.markdown:
        sys.stdout.write(markdown.text(found))
    elif before:
        sys.stdout.write(doctor_screen.compared(before, found))
    else:
        sys.stdout.write(doctor_screen.screen(found))
