"""`qcode servers`: what answers on the known ports, or at an address. Loads no model.

Results go to stdout, talk about them to stderr. `--json` is for scripts: fields are only added.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from qcode.cli import doctor_kept, offline, own_server
from qcode.cli.embedded import reached
from qcode.cli.parser import parsed
from qcode.cli.server_tables import block, report
from qcode.config.load import Loaded, load, sources
from qcode.config.model import Server
from qcode.config.paths import paths
from qcode.config.profiles import tuned
from qcode.config.secrets import endpoint_key
from qcode.headless.exits import ExitCode, of_error
from qcode.headless.talk import talk
from qcode.protocol.errors import ServerError
from qcode.protocol.text import escaped
from qcode.server.adapters import ollama
from qcode.server.base import ServerFacts
from qcode.server.detect import Seen, choose
from qcode.server.endpoint import PORTS
from qcode.server.failures import gone
from qcode.server.survey import survey

if TYPE_CHECKING:
    from qcode.serve.card import Card

    Group = argparse._SubParsersAction[argparse.ArgumentParser]
    Own = Mapping[str, Card]


def main(argv: list[str]) -> int:
    """The subcommand from its own arguments. Raises QcodeError."""
    return run(parsed("servers", add, argv), PORTS)


def add(parser_group: "Group") -> None:
    """Declare `servers`."""
    parser = parser_group.add_parser("servers", help="which servers answer, and what they can do")
    parser.add_argument("--base-url", metavar="URL", help="this one; default: server.base_url")
    parser.add_argument("--gguf", metavar="MODEL", help="served by qcode: see qcode serve")
    parser.add_argument("--model", metavar="NAME", help="this model of it, or a profile")
    parser.add_argument("--all", action="store_true", help="the known ports, whatever is set")
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace, ports: Sequence[int]) -> int:
    """Ask and print; returns the exit code. Raises ConfigError and UsageError."""
    if arguments.gguf:
        with reached(arguments) as at:
            return _run(at, ports)
    arguments.own_key = ""
    return _run(arguments, ports)


def _run(arguments: argparse.Namespace, ports: Sequence[int]) -> int:
    own = {card.base_url: card for _, card in own_server.running()}
    loaded = _loaded(arguments)
    seen = asyncio.run(_ask(arguments, loaded, own, ports))
    answered = [one for one in seen if one.found is not None]
    if arguments.json:
        _print_json(
            {
                "tried": [one.base_url for one in seen],
                "servers": [report(one, _examined(one), _served(one, own)) for one in answered],
            }
        )
    else:
        blocks = (block(one, _examined(one), _served(one, own)) for one in answered)
        sys.stdout.write("\n".join(blocks))
    model = loaded.config.server.model
    would = [url for url, card in own.items() if model in ("", card.alias)]
    return _told(seen, answered, would)


def _served(seen: Seen, own: "Own") -> str:
    """Under which name `qcode serve` serves it; empty = it is another's."""
    return own[seen.base_url].alias if seen.base_url in own else ""


def _examined(seen: Seen) -> str:
    """`2026-11-21, 2 findings`; empty = by `qcode doctor` it was not, as it is now."""
    found = seen.found
    return doctor_kept.line(paths().state, found) if isinstance(found, ServerFacts) else ""


def _loaded(arguments: argparse.Namespace) -> Loaded:
    said = {
        "server.base_url": ("--base-url", arguments.base_url),
        "server.model": ("--model", arguments.model),
    }
    return load(sources({key: (flag, value) for key, (flag, value) in said.items() if value}))


async def _ask(
    arguments: argparse.Namespace, loaded: Loaded, own: "Own", ports: Sequence[int]
) -> tuple[Seen, ...]:
    offline.keep(loaded.config)
    server = loaded.config.server
    seen = await _seen(arguments, server, ports)
    if not server.base_url or (arguments.all and not arguments.base_url):
        ours = [one for url, card in own.items() for one in await survey(url, card.key)]
        seen = (*ours, *(one for one in seen if one.base_url not in own))
    return tuple(_as_asked(one, loaded) for one in seen)


def _as_asked(seen: Seen, loaded: Loaded) -> Seen:
    """With the context that a run would ask for, where a server takes that."""
    if not isinstance(seen.found, ServerFacts):
        return seen
    config = tuned(loaded.config, seen.found.model, loaded.said)
    return replace(seen, found=ollama.asking(seen.found, config.server.context_tokens))


async def _seen(
    arguments: argparse.Namespace, server: Server, ports: Sequence[int]
) -> tuple[Seen, ...]:
    # the configured name belongs to the configured address
    is_there = server.base_url and not arguments.base_url and not arguments.all
    model = server.model if arguments.model or is_there else ""
    if arguments.all and not arguments.base_url:
        return await survey(model=model, ports=ports)
    own = arguments.own_key or (own_server.key_at(server.base_url) if server.base_url else "")
    key = None if own else endpoint_key(server.base_url, server.api_key_env, os.environ)
    return await survey(server.base_url, key.value if key else own, model, ports)


def _told(seen: Sequence[Seen], answered: Sequence[Seen], own: Sequence[str]) -> int:
    """Say what stands behind the list; the exit code. `own`: addresses that a run takes first."""
    usable = [one.found for one in answered if isinstance(one.found, ServerFacts)]
    if usable:
        if len(usable) > 1:
            first = [one.base_url for one in usable if one.base_url in own]
            taken = first[0] if first else choose(usable).base_url
            talk(f"a run would take {taken}; --base-url names another.")
        return ExitCode.OK
    if not answered:
        talk(str(gone([one.base_url for one in seen], seen[0].because)))
        return ExitCode.UNAVAILABLE
    failed = answered[0].found  # its sentence is in the list
    return of_error(failed) if isinstance(failed, ServerError) else ExitCode.UNAVAILABLE


def _print_json(value: Any) -> None:
    sys.stdout.write(
        escaped(msgspec.json.format(msgspec.json.encode(value), indent=2).decode()) + "\n"
    )
