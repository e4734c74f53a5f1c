"""`--gguf`: a run with a model that qcode serves itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from qcode.cli.options import Options
from qcode.config.load import load, sources
from qcode.headless.talk import talk
from qcode.protocol.errors import QcodeError, UsageError

if TYPE_CHECKING:  # a run with a server needs none of it
    from qcode.serve.card import Card
    from qcode.serve.shared import Use


@contextmanager
def embedded(options: Options) -> Iterator[Options]:
    """`options` with the server's address and key, which is held meanwhile. Raises QcodeError."""
    if options.gguf is None:
        yield options
        return
    _check(options)
    from qcode.cli.serving import asked  # noqa: PLC0415 - a run with a server needs none of it

    config = load(sources()).config  # the person's own: no project says what runs here
    say = _quiet if options.quiet else talk
    use, card = asked(options.gguf, config).use(say)
    if use.began == "started":
        minutes = f"{config.serve.idle_minutes:g} min"
        say(f"{card.alias} stays for {minutes} after its last use; qcode serve --stop ends it.")
    try:
        yield replace(options, base_url=card.base_url, model=card.alias, own_key=card.key)
    finally:
        now = use.place.card()
        if now and now.state == "failed":  # the run itself knows only that nobody answers
            talk(f"{now.said}\n  The whole log: {use.place.log}")
        use.close()


def for_app(
    model: str, say: Callable[[str], None], loads: Callable[[str], None]
) -> "tuple[Use, Card]":
    """The same inside the app: held until it is closed. What `loads` raises ends the waiting, and
    the server, if nobody else uses it. Raises QcodeError."""
    from qcode.cli.serving import asked  # noqa: PLC0415 - seldom wanted
    from qcode.serve import shared  # noqa: PLC0415 - the same

    wanted = asked(model, load(sources()).config)
    try:
        return wanted.use(say, lambda card, _: loads(card.alias))
    except QcodeError:
        raise
    except Exception:
        shared.end_unused(wanted.place)
        raise


def _check(options: Options) -> None:
    if options.base_url:
        raise UsageError("--gguf serves a model itself, --base-url names a server. Say one.")
    if options.model:
        raise UsageError("--gguf brings its own model: leave --model out.")


def _quiet(_: str) -> None:
    """-q: only what goes wrong is told."""
