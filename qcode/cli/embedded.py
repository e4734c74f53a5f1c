"""A run with a model that qcode serves itself: `--gguf`, or what `qcode serve` serves already."""

import argparse
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from qcode.cli import own_server
from qcode.cli.options import Options
from qcode.cli.settings import flags, workspace
from qcode.cli.trusting import of_run, settings
from qcode.config.load import load, sources
from qcode.config.model import Server
from qcode.headless.talk import talk
from qcode.protocol.errors import UsageError

if TYPE_CHECKING:  # a run with a server needs none of it
    from qcode.serve.card import Card
    from qcode.serve.shared import Use


@contextmanager
def embedded(options: Options, meanwhile: Callable[[], None] | None = None) -> Iterator[Options]:
    """`options` with the server's address and key, which is held meanwhile: that of `--gguf`, else
    one of the person's own where no other is named. `meanwhile` is called while one starts.
    Raises QcodeError."""
    say = _quiet if options.quiet else talk
    if options.gguf is not None:
        _check(options.base_url, options.model)
        with _started(options.gguf, say, meanwhile) as card:
            yield replace(options, base_url=card.base_url, model=card.alias, own_key=card.key)
    elif own_server.any_told_of():
        loaded = settings(of_run(workspace(options.folder), options), flags(options))
        with _found(loaded.config.server, say) as found:
            yield _over(options, found) if found else options
    else:
        yield options


@contextmanager
def reached(arguments: argparse.Namespace) -> Iterator[argparse.Namespace]:
    """The same for a subcommand that has `--gguf`, `--base-url` and `--model`: its arguments, with
    `own_key`. Raises QcodeError."""
    if arguments.gguf is not None:
        _check(arguments.base_url, arguments.model)
        with _started(arguments.gguf, talk) as card:
            yield _said(arguments, card.base_url, card.alias, card.key)
        return
    names = {"server.base_url": arguments.base_url, "server.model": arguments.model}
    flagged = {key: ("a flag", value) for key, value in names.items() if value}
    with _found(load(sources(flagged)).config.server, talk) as found:
        if found is None:
            yield _said(arguments, arguments.base_url, arguments.model, "")
        else:
            yield _said(arguments, found.base_url, arguments.model or found.alias, found.key)


def _said(
    arguments: argparse.Namespace, base_url: str | None, model: str | None, own_key: str
) -> argparse.Namespace:
    said = {"base_url": base_url, "model": model, "own_key": own_key}
    return argparse.Namespace(**vars(arguments) | said)


def again(gguf: str | None) -> str:
    """What a person says to have it served again: to be put behind a command."""
    return f" --gguf {shlex.quote(gguf)}" if gguf else ""


def _over(options: Options, found: "Card") -> Options:
    """`options` as if they named what was found."""
    model = options.model or found.alias
    return replace(options, base_url=found.base_url, model=model, own_key=found.key)


@contextmanager
def _started(
    model: str, say: Callable[[str], None], meanwhile: Callable[[], None] | None = None
) -> "Iterator[Card]":
    from qcode.cli.serving import asked  # noqa: PLC0415 - a run with a server needs none of it

    config = load(sources()).config  # the person's own: no project says what runs here
    use, card = asked(model, config).use(say, meanwhile=meanwhile)
    if use.began == "started":
        minutes = f"{config.serve.idle_minutes:g} min"
        say(f"{card.alias} stays for {minutes} after its last use; qcode serve --stop ends it.")
    try:
        yield card
    finally:
        _tell_failure(use)
        use.close()


@contextmanager
def _found(server: Server, say: Callable[[str], None]) -> "Iterator[Card | None]":
    """One of the person's own: at the address that is named, or, where none is, any."""
    named = server.base_url
    is_meant = own_server.at(named) if named else own_server.of_model(server.model)
    with own_server.joined(is_meant, server.loading_seconds) as found:
        if found is None:
            yield None
            return
        use, card = found
        if not named:
            say(f"qcode serve's {card.alias} at {card.base_url}")
        try:
            yield card
        finally:
            _tell_failure(use)


def _tell_failure(use: "Use") -> None:
    """The run itself knows only that nobody answers."""
    now = use.place.card()
    if now and now.state == "failed":
        talk(f"{now.said}\n  The whole log: {use.place.log}")


def for_app(
    model: str, say: Callable[[str], None], loads: Callable[[str], None]
) -> "tuple[Use, Card]":
    """The same inside the app: held until it is closed. What `loads` raises ends the waiting, and
    the server, if nobody else uses it. Raises QcodeError."""
    from qcode.cli.serving import asked  # noqa: PLC0415 - seldom wanted

    return asked(model, load(sources()).config).use(say, lambda card, _: loads(card.alias))


def _check(base_url: str | None, model: str | None) -> None:
    if base_url:
        raise UsageError("--gguf serves a model itself, --base-url names a server. Say one.")
    if model:
        raise UsageError("--gguf brings its own model: leave --model out.")


def _quiet(_: str) -> None:
    """-q: only what goes wrong is told."""
