"""`qcode serve MODEL`: a server that is used by nobody but the terminal, until Ctrl+C."""

import signal
import sys
import threading
from typing import Literal

from qcode.cli import serve_tables
from qcode.cli.serving import Asked
from qcode.headless.talk import talk
from qcode.protocol.errors import ServerGone
from qcode.serve import shared
from qcode.serve.card import Card
from qcode.serve.shared import Use

LOOK_SECONDS = 0.5


def serve(wanted: Asked, form: Literal["text", "json"]) -> int:
    """Start or join the server, say how it is used, stay until a signal; returns the exit code.

    Raises QcodeError.
    """
    ended = threading.Event()
    use, card = wanted.use(talk)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        told = serve_tables.told_json if form == "json" else serve_tables.told
        sys.stdout.write(told(use.place, card))
        sys.stdout.flush()
        if use.began == "joined":
            talk("another qcode has started it; it is shared.")
        talk("Ctrl+C ends it.")
        return _stay(use, card, ended)
    finally:
        _leave(use)


def _stay(use: Use, card: Card, ended: threading.Event) -> int:
    """Until it is told to end; what happens to the server meanwhile is said."""
    while not ended.wait(LOOK_SECONDS):
        is_kept = use.place.is_kept()  # asked first: what ends then has told why before
        now = use.place.card()
        if now is None or not is_kept:
            if now and now.state == "failed":
                raise ServerGone(f"{now.said}\n  The whole log: {use.place.log}")
            talk("the server was ended from elsewhere.")
            return 0
        if now.engine_pid != card.engine_pid:
            talk(now.said or f"{now.alias} serves again.")
        card = now
    return 0


def _leave(use: Use) -> None:
    """End it, unless others use it."""
    others = shared.users(use.place) - 1
    use.close()
    if others > 0:
        talk(f"it goes on: {others} more use it.")
    elif use.place.is_kept():
        shared.stop(use.place)
        talk("ended.")
