"""Servers that the user's own `qcode serve` keeps: found, with their keys, where none is named.

Light: where none runs it costs one look into a folder.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from qcode.config.paths import paths
from qcode.protocol.errors import ServerGone

if TYPE_CHECKING:  # most runs need none of it
    from qcode.serve.card import Card, Place
    from qcode.serve.shared import Told, Use

Meant = Callable[["Card"], bool]


def any_told_of() -> bool:
    """Whether one may run; False is certain."""
    if sys.platform == "win32":
        return False
    try:
        with os.scandir(_folder()) as entries:
            return any(entry.name.endswith(".alive") for entry in entries)
    except OSError:
        return False


def running() -> "list[tuple[Place, Card]]":
    """Those that serve or soon will: who is ready first, then the newest."""
    if not any_told_of():
        return []
    from qcode.serve import shared  # noqa: PLC0415 - most runs need none of it

    try:
        found = [one for one in shared.servers(_folder()) if one[1].state != "failed"]
    except OSError:  # what dead ones have left cannot be taken away
        return []
    return sorted(found, key=lambda one: (one[1].state != "ready", -one[1].since))


def at(base_url: str) -> Meant:
    """The one at this address."""
    from qcode.config.secrets import is_loopback  # noqa: PLC0415 - as above

    url = base_url if "://" in base_url else f"http://{base_url}"
    try:
        port = urlsplit(url).port if is_loopback(url) else None
    except ValueError:  # no address at all, which others tell
        port = None
    return lambda card: card.port == port


def of_model(name: str) -> Meant:
    """One that serves it; empty = any."""
    return lambda card: name in ("", card.alias)


def key_at(base_url: str) -> str:
    """The key, if one of them is at this address; else empty."""
    if not any_told_of():
        return ""
    is_meant = at(base_url)
    return next((card.key for _, card in running() if is_meant(card)), "")


@contextmanager
def joined(is_meant: Meant, loading_seconds: float) -> "Iterator[tuple[Use, Card] | None]":
    """The first that is meant, used meanwhile, so that it stays; None = there is none.

    Raises ServerGone and OutOfMemory where one that was loading fails.
    """
    found = join(is_meant, lambda card, seconds: None, loading_seconds)
    try:
        yield found
    finally:
        if found is not None:
            found[0].close()


def join(is_meant: Meant, told: "Told", loading_seconds: float) -> "tuple[Use, Card] | None":
    """The same, held until it is closed. `told` hears how it loads; what that raises ends the
    waiting."""
    for place, card in running():
        if is_meant(card) and (use := _join(place)):
            try:
                return use, use.ready(told, loading_seconds)
            except BaseException:  # Ctrl+C above all
                use.close()
                raise
    return None


def _join(place: "Place") -> "Use | None":
    from qcode.serve import shared  # noqa: PLC0415 - as above

    try:
        return shared.join(place, _nobody)
    except (ServerGone, OSError):
        return None


def _nobody() -> NoReturn:
    raise ServerGone("It ended just now, and nobody here knows how to start it.")


def _folder() -> Path:
    return paths().state / "serve"
