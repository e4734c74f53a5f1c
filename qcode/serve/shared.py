"""One server for all qcodes of a user: whoever comes first has it started, the others join.

While a process uses it, it holds a lock on a file of its own; the system lets go of it when the
process ends, however it ends.
"""

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Literal

import msgspec
from msgspec.structs import replace

from qcode.protocol.errors import OutOfMemory, ServerGone
from qcode.serve import boot, child
from qcode.serve.boot import environment
from qcode.serve.card import Card, Place, Task, alone, locked, pause, task_of

BEGIN_SECONDS = 30.0
"""For a keeper to say its first word, on a machine that is busy with other things."""
POLL_SECONDS = 0.02
STOP_SECONDS = 20.0
HANG_SECONDS = 30.0
"""An engine that is ready says so within it, however busy its machine is; one that hangs was
started again by then, see `pulse`."""
LISTEN_SECONDS = 20.0
"""For an engine that was started to listen, long before it is ready."""
MANY = 4
"""Users beyond them may hold all threads that answer: an engine that says nothing may be busy."""

Told = Callable[[Card, float], None]
"""Hears of a server that is not ready yet, and since how many seconds."""


class Use(msgspec.Struct):
    """A server, held by this process until `close`, or until the process ends."""

    place: Place
    began: Literal["started", "joined"]
    _file: IO[bytes]
    _path: Path

    def ready(self, told: Told, limit_seconds: float) -> Card:
        """Wait until it serves. Raises ServerGone and OutOfMemory, with the engine's last words."""
        began = time.monotonic()
        while True:
            is_kept = self.place.is_kept()  # asked first: what ends then has told why before
            card = self.place.card()
            passed = time.monotonic() - began
            if card and card.state == "failed":
                kind = OutOfMemory if card.cause == "memory" else ServerGone
                raise kind(f"{card.said}\n  The whole log: {self.place.log}")
            if card and card.state == "ready" and self._answers(card, limit_seconds):
                return card
            if not is_kept:
                raise ServerGone(
                    f"The server of {self.place.id} was ended while it started. "
                    f"Try again; its log: {self.place.log}"
                )
            if passed > limit_seconds:
                raise ServerGone(
                    f"The model is not loaded after {passed:.0f} s (server.loading_seconds). "
                    f"It goes on; try again later. Its log: {self.place.log}"
                )
            if card:
                told(card, passed)
            time.sleep(pause(passed))

    def _answers(self, card: Card, limit_seconds: float) -> bool:
        """Whether it does what its keeper last told: it may have crashed just now, or hang."""
        limit = time.monotonic() + min(HANG_SECONDS, limit_seconds)
        while child.serves(card.port) != "ready":
            if not self.place.is_kept() or self.place.card() != card:
                return False  # there is news
            if time.monotonic() > limit:
                if users(self.place) > MANY:
                    return True
                raise ServerGone(hangs(card))
            time.sleep(POLL_SECONDS)
        return True

    def again(self, card: Card) -> str:
        """Start it once more, as `card` tells of it, if it is gone; a sentence if that was done.
        It listens then, and need not be ready. Raises ServerGone."""
        if self.place.is_kept() and _is_usable(self.place.card()):
            if not _is_where(self.place.card(), card):
                raise _elsewhere(card)
            return ""
        try:
            use = join(self.place, lambda: task_of(card, self.place))
        except OSError as error:
            raise ServerGone(f"{card.alias} cannot be started again: {error}.") from error
        self.close()
        self._file, self._path = use._file, use._path
        if not _is_where(self.place.card(), card):
            raise _elsewhere(card)
        self._listens(card)
        return f"{card.alias} was gone: it is served again." if use.began == "started" else ""

    def _listens(self, card: Card) -> None:
        limit = time.monotonic() + LISTEN_SECONDS
        while time.monotonic() < limit and child.serves(card.port) == "nobody":
            now = self.place.card()
            if now and now.state == "failed":
                raise ServerGone(f"{now.said}\n  The whole log: {self.place.log}")
            time.sleep(POLL_SECONDS)

    def close(self) -> None:
        """Let go of it."""
        self._path.unlink(missing_ok=True)
        self._file.close()


def _elsewhere(card: Card) -> ServerGone:
    return ServerGone(
        f"{card.alias} is served at another address by now, since another program has taken its "
        "port or another qcode came first. Leave, and go on with --continue."
    )


def hangs(card: Card) -> str:
    """A sentence about an engine that runs and says nothing."""
    return (
        f"The engine of qcode serve ({card.alias}) does not answer. qcode serve --stop ends it; "
        "the next qcode starts it again."
    )


def new_key() -> str:
    """A key that nobody guesses."""
    return secrets.token_hex(24)


def join(
    place: Place, task: Callable[[], Task], meanwhile: Callable[[], None] | None = None
) -> Use:
    """The server of `place`, started as `task` says where none runs; it need not be ready yet.
    `meanwhile` is called while one starts: what this process has to do anyway.

    Raises ServerGone, OSError, and what `task` and `meanwhile` raise.
    """
    with alone(place.door):
        if place.is_kept() and _is_usable(place.card()):
            return _use(place, "joined")
        _end_kept(place)
        if place.is_kept():
            raise ServerGone(f"The server that ran here before does not end. Its log: {place.log}")
        before = place.card()
        place.clear()
        is_missed = before is not None and users(place) > 0
        use = _use(place, "started")
        try:
            wanted = task()
            if before and is_missed:  # others know it there
                wanted = replace(wanted, port=before.port, key=before.key)
            _begin(place, wanted, meanwhile)
        except BaseException:  # Ctrl+C while it loads, too: nobody would use it
            use.close()
            if not users(place):
                _end_kept(place)
            _clear(place)
            raise
        return use


def servers(folder: Path) -> Iterator[tuple[Place, Card]]:
    """Those that run now. What dead ones have left is taken away."""
    for file in sorted(folder.glob("*.alive")):
        place = Place(folder, file.stem)
        if place.is_kept():
            if card := place.card():
                yield place, card
        else:
            with alone(place.door):
                _clear(place)


def like(place: Place) -> Place:
    """`place`, or where the same file is served already in another way."""
    for other, card in servers(place.folder):
        if other.file_id == place.file_id and card.state != "failed":
            return other
    return place


def users(place: Place) -> int:
    """Processes that use it, this one among them."""
    return len(list(place.users.glob("*.user")))


def stop(place: Place) -> bool:
    """End it, whoever uses it; False = it does not end."""
    with alone(place.door):  # whoever starts it just now has done so
        pass
    _end_kept(place)
    gone = not place.is_kept()
    if gone:
        with alone(place.door):
            _clear(place)
    return gone


def end_unused(place: Place) -> bool:
    """End it, if nobody uses it and nobody is about to; False = it stays."""
    with alone(place.door):
        if users(place) or not place.is_kept():
            return False
        _end_kept(place)
        return not place.is_kept()


def tidy(place: Place) -> None:
    """Take away what a server that has failed has left, unless others still want to be told why;
    its log stays."""
    with alone(place.door):
        card = place.card()
        if not users(place) and (card is None or card.state == "failed"):
            _end_kept(place)
            _clear(place)


def _clear(place: Place) -> None:
    """To be called behind the door, which goes too: whoever waits there makes another."""
    if not place.is_kept():
        place.clear()
        place.door.unlink(missing_ok=True)


def _is_where(card: Card | None, before: Card) -> bool:
    return card is not None and (card.port, card.key) == (before.port, before.key)


def _is_usable(card: Card | None) -> bool:
    return card is not None and card.state != "failed"


def _end_kept(place: Place) -> None:
    """A keeper that nobody can join has failed or is on its way out: see it off."""
    limit = time.monotonic() + STOP_SECONDS
    while place.is_kept():
        if card := place.card():
            try:
                os.kill(card.pid, signal.SIGTERM)
            except ProcessLookupError:
                return
        if time.monotonic() > limit:
            return
        time.sleep(POLL_SECONDS)


def _use(place: Place, began: Literal["started", "joined"]) -> Use:
    """A file of our own, under its name only once it is locked: the keeper takes away what is
    not."""
    place.users.mkdir(mode=0o700, exist_ok=True)
    path = place.users / f"{os.getpid()}-{secrets.token_hex(4)}.user"
    made = path.with_suffix(".new")
    file = made.open("xb")
    locked(file, "wait")
    made.rename(path)
    return Use(place, began, file, path)


def _begin(place: Place, task: Task, meanwhile: Callable[[], None] | None) -> None:
    """Start the keeper and wait for its first word."""
    descriptor = os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as log:
        keeper = subprocess.Popen(
            boot.words("keeper"),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd="/",
            env=environment(),
            start_new_session=True,
        )
    assert keeper.stdin
    with keeper.stdin:
        keeper.stdin.write(msgspec.json.encode(task))
    limit = time.monotonic() + BEGIN_SECONDS
    try:
        if meanwhile is not None:
            meanwhile()
        while place.card() is None:
            if keeper.poll() is not None or time.monotonic() > limit:
                raise ServerGone(f"The server's keeper did not start. Its log: {place.log}")
            time.sleep(pause(0.0))
    except BaseException:  # also Ctrl+C: nobody knows of it yet
        keeper.kill()
        keeper.wait()
        raise
