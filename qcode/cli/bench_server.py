"""`qcode bench server`: reading and writing over the length of the prompt, and compared.

Results go to stdout, progress to stderr. Ctrl+C ends it with what is known.
"""

import argparse
import asyncio
import os
import re
import secrets
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from qcode import __version__
from qcode.bench.curve import Curve, load, save
from qcode.bench.curve_tables import comparison_data, comparison_text, curve_text
from qcode.bench.measuring import SIZES, Book, Measuring, Wish
from qcode.bench.plot import ASCII, FINE, Signs
from qcode.cli import bench_models, offline, own_server
from qcode.cli.bench_told import is_busy, told_of
from qcode.cli.embedded import reached
from qcode.cli.parser import duration, positive
from qcode.config import load as settings
from qcode.config.profiles import tuned
from qcode.config.secrets import endpoint_key, without_password
from qcode.headless.exits import ExitCode
from qcode.headless.talk import talk
from qcode.protocol.errors import InputError, ServerError, UsageError
from qcode.protocol.events import ServerState
from qcode.protocol.text import escaped, one_line
from qcode.server.base import Server, ServerFacts
from qcode.server.client import connect
from qcode.server.endpoint import Patience
from qcode.server.known import Wishes
from qcode.server.quirks import QUIRKS

if TYPE_CHECKING:
    Group = argparse._SubParsersAction[argparse.ArgumentParser]


def add(parser_group: "Group") -> None:
    """Declare `bench server`."""
    parser = parser_group.add_parser("server", help="how fast it reads and writes, by length")
    parser.add_argument("--base-url", metavar="URL", help="this one; default: server.base_url")
    parser.add_argument("--gguf", metavar="MODEL", help="served by qcode: see qcode serve")
    parser.add_argument("--model", metavar="NAME", help="this model of it, or a profile")
    parser.add_argument(
        "--sizes",
        type=_sizes,
        default=SIZES,
        metavar="LIST",
        help=f"tokens of prompt, such as 512,4k; default {','.join(map(_size, SIZES))}",
    )
    parser.add_argument(
        "--repeat", type=positive, default=3, metavar="N", help="requests a size; default 3"
    )
    parser.add_argument(
        "--seconds",
        type=duration,
        default=180.0,
        metavar="TIME",
        help="for all, such as 90s, 10m; default 180s",
    )
    parser.add_argument(
        "--generate", type=positive, default=64, metavar="N", help="tokens an answer; default 64"
    )
    parser.add_argument("--note", default="", metavar="TEXT", help="its flags, for the file")
    parser.add_argument("--save", type=Path, metavar="FILE", help="the curve as JSON")
    parser.add_argument(
        "--compare",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="one saved curve with what is measured now, or two with each other",
    )
    parser.add_argument(
        "--against", metavar="URL", help="measure this server as well, and set both side by side"
    )
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.set_defaults(do=run)


def _size(tokens: int) -> str:
    """As `_sizes` takes it."""
    return str(tokens) if tokens % 1024 else f"{tokens // 1024}k"


def _sizes(text: str) -> tuple[int, ...]:
    words = [word.strip().lower() for word in text.split(",")]
    if not all(re.fullmatch(r"[1-9]\d{0,8}k?", word) for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list such as 512,4096,16k")
    return tuple(sorted({int(word.rstrip("k")) * (1024 if "k" in word else 1) for word in words}))


def run(arguments: argparse.Namespace) -> int:
    """Measure or compare, and print; returns the exit code. Raises QcodeError."""
    saved = [load(path) for path in arguments.compare or ()]
    if len(saved) > 2:
        raise UsageError("--compare takes one file or two.")
    if len(saved) == 2:
        if arguments.save:
            raise UsageError("--save is for what is measured; two files are compared as they are.")
        _print_both(saved[0], saved[1], arguments)
        return ExitCode.OK
    if arguments.against:
        return _run_two(arguments)
    with reached(arguments) as at:
        curve, code = _measured(at)
    if arguments.save and curve.points:
        save(curve, arguments.save)
        talk(f"saved as {arguments.save}; --compare {arguments.save} compares another with it.")
    if saved:
        _print_both(saved[0], curve, arguments)
    else:
        _print(curve, arguments)
    return code


def _run_two(arguments: argparse.Namespace) -> int:
    """Two servers, one after the other, so that neither is measured beside the other's work."""
    if arguments.save or arguments.compare:
        raise UsageError(
            "--against sets two servers side by side: leave --save and --compare out. To keep "
            "curves, measure each with --save."
        )
    other = {"base_url": arguments.against, "model": None, "gguf": None}
    key = {"own_key": own_server.key_at(arguments.against)}
    asyncio.run(_answers(argparse.Namespace(**vars(arguments) | other | key)))
    with reached(arguments) as at:
        curve, code = _measured(at)
    if code or not curve.points:
        _print(curve, arguments)
        return code
    with reached(argparse.Namespace(**vars(arguments) | other)) as at:
        second, code = _measured(at)
    _print_both(curve, second, arguments)
    return code


async def _answers(arguments: argparse.Namespace) -> None:
    """Minutes of measuring one are for another that is there. Raises ServerError."""
    server, _ = _server(arguments)
    try:
        await server.facts(_loading)
    finally:
        await server.close()


def _measured(arguments: argparse.Namespace) -> tuple[Curve, int]:
    """The curve, as far as it came, and the exit code. Raises QcodeError."""
    if arguments.save and not arguments.save.absolute().parent.is_dir():
        raise InputError(f"{arguments.save} cannot be written: its folder is not there.")
    sight = _Sight()
    code = ExitCode.OK
    try:
        asyncio.run(_measure(arguments, sight))
    except KeyboardInterrupt:
        if sight.facts is None or not sight.book.found:
            raise
        sight.book.interrupted(arguments.sizes)
        talk("interrupted; this is what is known.")
        code = ExitCode.INTERRUPTED
    return sight.curve(arguments), code


class _Sight:
    """What is seen of a server, while it is being seen: an interruption loses nothing."""

    def __init__(self) -> None:
        self.facts: ServerFacts | None = None
        self.told: dict[str, str] = {}
        self.book = Book()

    def curve(self, arguments: argparse.Namespace) -> Curve:
        facts = self.facts
        assert facts is not None  # whoever asks has measured
        name = QUIRKS[facts.kind].name or "a server"
        return Curve(
            qcode=__version__,
            date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            kind=facts.kind,
            server=one_line(f"{name} {facts.version}".strip()),
            base_url=without_password(facts.base_url),
            model=facts.model,
            context_tokens=facts.context_tokens,
            told=self.told,
            note=arguments.note,
            generated_tokens=arguments.generate,
            points=self.book.points(),
            left_out=self.book.gaps(),
        )


async def _measure(arguments: argparse.Namespace, sight: _Sight) -> None:
    server, key = _server(arguments)
    try:
        facts = await server.facts(_loading)
        if arguments.model:  # what stands in the settings may be any word: a run says so
            bench_models.check(facts)
        sight.facts = facts
        sight.told = await told_of(facts, key)
        talk(
            f"{one_line(facts.model)} at {without_password(facts.base_url)}: this takes the place "
            "of the conversation that it has in its cache; the next turn of a running session is "
            "read anew."
        )
        if await is_busy(facts, key):
            talk("the server is at work for somebody: this waits for it, or is measured beside it.")
        measuring = Measuring(server, facts, secrets.token_hex(6), talk)
        sight.book = measuring.book
        await measuring.run(_wish(arguments))
    finally:
        await server.close()


def _wish(arguments: argparse.Namespace) -> Wish:
    return Wish(arguments.sizes, arguments.repeat, arguments.seconds, arguments.generate)


def _loading(state: ServerState) -> None:
    talk(one_line(f"the server is {state.state} {state.detail}".strip()))


def _server(arguments: argparse.Namespace) -> tuple[Server, str]:
    """As a run would reach it, and its key."""
    said = {
        "server.base_url": ("--base-url", arguments.base_url),
        "server.model": ("--model", arguments.model),
    }
    flags = {key: (flag, value) for key, (flag, value) in said.items() if value}
    loaded = settings.load(settings.sources(flags))
    offline.keep(loaded.config)
    config = loaded.config.server
    own = arguments.own_key
    key = None if own else endpoint_key(config.base_url, config.api_key_env, os.environ)
    value = key.value if key else own
    patience = Patience(
        connect_seconds=config.connect_seconds, loading_seconds=config.loading_seconds
    )
    wishes = Wishes(context=partial(_context, loaded))
    return connect(config.base_url, value, config.model, patience, wishes=wishes), value


def _context(loaded: settings.Loaded, model: str) -> int:
    return tuned(loaded.config, model, loaded.said).server.context_tokens


def _print(curve: Curve, arguments: argparse.Namespace) -> None:
    if arguments.json:
        _print_json(msgspec.to_builtins(curve))
    elif not curve.points:
        raise ServerError("Nothing could be measured: " + _gaps(curve))
    else:
        signs = _signs()
        _write(curve_text(curve, signs), signs)


def _gaps(curve: Curve) -> str:
    return "; ".join(f"{it.asked_tokens:,} tokens: {it.because}" for it in curve.left_out) + "."


def _print_both(old: Curve, new: Curve, arguments: argparse.Namespace) -> None:
    if arguments.json:
        _print_json(comparison_data(old, new))
    else:
        signs = _signs()
        _write(comparison_text(old, new, signs), signs)


def _write(text: str, signs: Signs) -> None:
    sys.stdout.write(text.replace("±", "+-").replace("·", "-") if signs is ASCII else text)


def _signs() -> Signs:
    """What stdout can show."""
    try:
        "●○◉└│─⣿±".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return FINE


def _print_json(value: Any) -> None:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    sys.stdout.write(escaped(text) + "\n")
