"""A run with a model that qcode serves itself: `--gguf`, or what `qcode serve` serves already."""

import argparse
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from qcode.cli import own_server
from qcode.cli.fetching import offer
from qcode.cli.options import Options
from qcode.cli.settings import flags, workspace
from qcode.cli.trusting import of_run, settings
from qcode.config.load import load, sources
from qcode.config.model import Config, Server
from qcode.headless.talk import talk
from qcode.protocol.errors import UsageError

if TYPE_CHECKING:  # a run with a server needs none of it
    from qcode.serve.card import Card
    from qcode.serve.shared import Use

    Served = tuple[Use, Card]


@contextmanager
def embedded(options: Options, meanwhile: Callable[[], None] | None = None) -> Iterator[Options]:
    """`options` with the server's address and key, which is held meanwhile: that of `--gguf`, else
    one of the person's own where no other is named. `meanwhile` is called while one starts.
    Raises QcodeError."""
    say = _quiet if options.quiet else talk
    if options.gguf is not None:
        check(options.base_url, options.model)
        offer(options.gguf)
        with _started(options.gguf, say, meanwhile) as (use, card):
            yield over(replace(options, model=card.alias), use, card)
    elif own_server.any_told_of():
        loaded = settings(of_run(workspace(options.folder), options), flags(options))
        with _found(loaded.config.server, say) as found:
            yield over(options, *found) if found else options
    else:
        yield options


@contextmanager
def reached(arguments: argparse.Namespace) -> Iterator[argparse.Namespace]:
    """The same for a subcommand that has `--gguf`, `--base-url` and `--model`: its arguments, with
    `own_key`. Raises QcodeError."""
    if arguments.gguf is not None:
        check(arguments.base_url, arguments.model)
        offer(arguments.gguf)
        with _started(arguments.gguf, talk) as (_, card):
            yield _said(arguments, card.base_url, card.alias, card.key)
        return
    names = {"server.base_url": arguments.base_url, "server.model": arguments.model}
    flagged = {key: ("a flag", value) for key, value in names.items() if value}
    with _found(load(sources(flagged)).config.server, talk) as found:
        if found is None:
            yield _said(arguments, arguments.base_url, arguments.model, "")
        else:
            _, card = found
            yield _said(arguments, card.base_url, arguments.model or card.alias, card.key)


def _said(
    arguments: argparse.Namespace, base_url: str | None, model: str | None, own_key: str
) -> argparse.Namespace:
    said = {"base_url": base_url, "model": model, "own_key": own_key}
    return argparse.Namespace(**vars(arguments) | said)


def again(gguf: str | None) -> str:
    """What a person says to have it served again: to be put behind a command."""
    return f" --gguf {shlex.quote(gguf)}" if gguf else ""


def over(options: Options, use: "Use", card: "Card") -> Options:
    """`options` as if they named what is served; while `use` is held it is served again, too."""
    model, again = options.model or card.alias, partial(use.again, card)
    return replace(options, base_url=card.base_url, model=model, own_key=card.key, revive=again)


@contextmanager
def _started(
    model: str, say: Callable[[str], None], meanwhile: Callable[[], None] | None = None
) -> "Iterator[Served]":
    from qcode.cli.serving import asked  # noqa: PLC0415 - a run with a server needs none of it

    config = load(sources()).config  # the person's own: no project says what runs here
    use, card = asked(model, config).use(say, meanwhile=meanwhile)
    _tell_how_long(use, card, config, say)
    try:
        yield use, card
    finally:
        tell_failure(use)
        use.close()


def _tell_how_long(use: "Use", card: "Card", config: Config, say: Callable[[str], None]) -> None:
    if use.began == "started":
        minutes = f"{config.serve.idle_minutes:g} min"
        say(f"{card.alias} stays for {minutes} after its last use; qcode serve --stop ends it.")


@contextmanager
def _found(server: Server, say: Callable[[str], None]) -> "Iterator[Served | None]":
    """One of the person's own: at the address that is named, or, where none is, any."""
    with own_server.joined(_meant(server), server.loading_seconds) as found:
        if found is None:
            yield None
            return
        use, card = found
        _tell_which(server.base_url, card, say)
        try:
            yield use, card
        finally:
            tell_failure(use)


def _meant(server: Server) -> own_server.Meant:
    named = server.base_url
    return own_server.at(named) if named else own_server.of_model(server.model)


def _tell_which(named: str, card: "Card", say: Callable[[str], None]) -> None:
    if not named:
        say(f"qcode serve's {card.alias} at {card.base_url}")


def tell_failure(use: "Use") -> None:
    """The run itself knows only that nobody answers."""
    now = use.place.card()
    if now and now.state == "failed":
        talk(f"{now.said}\n  The whole log: {use.place.log}")


def for_app(model: str, say: Callable[[str], None], loads: Callable[[str], None]) -> "Served":
    """The same inside the app: held until it is closed. What `loads` raises ends the waiting, and
    the server, if nobody else uses it. Raises QcodeError."""
    from qcode.cli.serving import asked  # noqa: PLC0415 - seldom wanted

    config = load(sources()).config
    use, card = asked(model, config).use(say, lambda card, _: loads(card.alias))
    _tell_how_long(use, card, config, say)
    return use, card


def found_for_app(
    server: Server, say: Callable[[str], None], loads: Callable[[str], None]
) -> "Served | None":
    """The same with one of the person's own; None = there is none. Raises QcodeError."""

    def told(card: "Card", _: float) -> None:
        loads(card.alias)

    found = own_server.join(_meant(server), told, server.loading_seconds)
    if found is not None:
        _tell_which(server.base_url, found[1], say)
    return found


def check(base_url: str | None, model: str | None) -> None:
    """Whether --gguf may stand beside what else was said. Raises UsageError."""
    if base_url:
        raise UsageError("--gguf serves a model itself, --base-url names a server. Say one.")
    if model:
        raise UsageError("--gguf brings its own model: leave --model out.")


def _quiet(_: str) -> None:
    """-q: only what goes wrong is told."""
