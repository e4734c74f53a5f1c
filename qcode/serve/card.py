"""What a keeper tells the other qcodes of its user: one small file a server, in the user's state.

The file holds the server's key, so nobody else may read it. Whether its keeper lives is told by a
lock, which the system takes away from a process that dies, however it dies.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Literal

import msgspec

from qcode.serve.hints import Cause

State = Literal["loading", "ready", "restarting", "failed"]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a keeper is to run; it comes through a pipe, since it holds the key."""

    backend: Literal["llama-server", "xllamacpp"]
    program: str
    """Path of the binary; empty where the backend is a package."""
    model: str
    alias: str
    """The name under which the model answers."""
    flags: tuple[tuple[str, str], ...]
    """As `llama-server` spells them; the value of a switch is empty."""
    folder: str
    id: str
    key: str
    idle_seconds: float
    """So long after the last user has left it ends."""
    context_tokens: int = 0
    build: int = 0
    reasons: tuple[str, ...] = ()
    """Of the flags, each in its place."""
    port: int = 0
    """Where those that used it look for it, if it can be had; 0 = nobody does."""

    def __repr__(self) -> str:
        return f"Task({self.backend}, {self.model!r})"  # not the key


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A server as its keeper last told of it."""

    pid: int
    """Of the keeper."""
    engine_pid: int
    port: int
    key: str
    model: str
    alias: str
    backend: str
    state: State
    since: float
    """Wall clock of the last start of the engine."""
    said: str = ""
    """A sentence: why it failed, or was started again."""
    cause: Cause = "unknown"
    """Of the failure."""
    restarts: int = 0
    context_tokens: int = 0
    build: int = 0
    flags: tuple[tuple[str, str], ...] = ()
    reasons: tuple[str, ...] = ()
    program: str = ""
    """As `Task.program`."""
    idle_seconds: float = 600.0
    """As `Task.idle_seconds`."""

    def __repr__(self) -> str:
        return f"Card({self.alias!r}, {self.state}, port {self.port})"  # not the key

    @property
    def base_url(self) -> str:
        """Ends in `/v1`."""
        return f"http://127.0.0.1:{self.port}/v1"


class Place(msgspec.Struct, frozen=True):
    """Where the files of one server are."""

    folder: Path
    id: str

    @property
    def file_id(self) -> str:
        """Of the model's file alone, however it is served."""
        return self.id.partition("-")[0]

    @property
    def card_file(self) -> Path:
        """What the keeper tells."""
        return self.folder / f"{self.id}.json"

    @property
    def log(self) -> Path:
        """What the engine says."""
        return self.folder / f"{self.id}.log"

    @property
    def key_file(self) -> Path:
        """The key alone, as `llama-server --api-key-file` reads it."""
        return self.folder / f"{self.id}.key"

    @property
    def users(self) -> Path:
        """One locked file for each process that uses the server."""
        return self.folder / f"{self.id}.users"

    @property
    def alive(self) -> Path:
        """Locked while the keeper lives."""
        return self.folder / f"{self.id}.alive"

    @property
    def door(self) -> Path:
        """Locked by whoever comes, goes or cleans up: one after the other."""
        return self.folder / f"{self.id}.lock"

    def card(self) -> Card | None:
        """What is told; None = nothing, or nothing that can be read."""
        try:
            return msgspec.json.decode(self.card_file.read_bytes(), type=Card)
        except (OSError, ValueError):  # msgspec's own errors are ValueErrors
            return None

    def tell(self, card: Card) -> None:
        """Put `card` in place of what was told before. Raises OSError."""
        write(self.card_file, msgspec.json.encode(card))

    def is_kept(self) -> bool:
        """Whether a keeper lives."""
        try:
            with self.alive.open("rb") as file:
                return not _is_free(file)
        except OSError:
            return False

    def clear(self) -> None:
        """Take away what a keeper that is gone has left; its log stays."""
        for file in (self.card_file, self.key_file, self.alive):
            file.unlink(missing_ok=True)
        for file in self.users.glob("*"):
            if is_left(file):
                file.unlink(missing_ok=True)
        with suppress(OSError):  # somebody is in it
            self.users.rmdir()


def task_of(card: Card, place: Place) -> Task:
    """That the same is served once more, at the same address and with the same key."""
    return Task(
        backend="xllamacpp" if card.backend == "xllamacpp" else "llama-server",
        program=card.program,
        model=card.model,
        alias=card.alias,
        flags=card.flags,
        folder=str(place.folder),
        id=place.id,
        key=card.key,
        idle_seconds=card.idle_seconds,
        context_tokens=card.context_tokens,
        build=card.build,
        reasons=card.reasons,
        port=card.port,
    )


def place_of(folder: Path, model: Path, *words: str) -> Place:
    """The place of `model` as it is on the disk now, served as `words` want it.

    Wishes, not the plan: a plan is made for the memory that is free, which the first server takes.
    """
    real = model.resolve()
    about = real.stat()
    file = _digest(str(real), str(about.st_size), str(about.st_mtime_ns))
    return Place(folder, f"{file}-{_digest(*words)}")


def _digest(*words: str) -> str:
    from hashlib import blake2b  # noqa: PLC0415 - a keeper is told its place, and needs none of it

    text = "\0".join(words).encode("utf-8", "surrogateescape")
    return blake2b(text, digest_size=8).hexdigest()


def pause(waited_seconds: float) -> float:
    """Seconds up to the next look at what loads: short at first, when somebody waits for a small
    model; what takes minutes is not asked a hundred times a second."""
    return min(0.1, max(0.005, waited_seconds / 20))


def write(file: Path, data: bytes) -> None:
    """All of it or nothing, for the user's eyes alone. Raises OSError."""
    part = file.with_name(f".{file.name}-{os.getpid()}.tmp")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)
    part.replace(file)


def locked(file: IO[bytes], wait: Literal["wait", "try"] = "try") -> bool:
    """Lock `file` until it is closed; False = another process has it.

    Locks of the process, not of the descriptor: a fork that lives on does not keep them.
    """
    import fcntl  # noqa: PLC0415 - there is none on Windows

    try:
        fcntl.lockf(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if wait == "try" else 0))
    except BlockingIOError:
        return False
    return True


def is_left(file: Path) -> bool:
    """Whether nobody holds it any more."""
    try:
        with file.open("rb") as opened:
            return _is_free(opened)
    except OSError:
        return False


def _is_free(file: IO[bytes]) -> bool:
    """Looked at with a lock that many can have at once: those who look are no holders."""
    import fcntl  # noqa: PLC0415 - there is none on Windows

    try:
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def alone(file: Path, wait: Literal["wait", "try"] = "wait") -> Iterator[bool]:
    """The lock of `file`, made where it is missing; False = another has it, if it is but tried.
    Whoever has it may take the file away. Raises OSError."""
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as opened:
            is_ours = locked(opened, wait)
            if is_ours and not _is_still(opened, file):
                continue  # taken away while we waited: others lock the next one
            yield is_ours
            return


def _is_still(opened: IO[bytes], file: Path) -> bool:
    """Whether `opened` is what goes by the name of `file`."""
    try:
        return os.path.samestat(os.fstat(opened.fileno()), file.stat())
    except FileNotFoundError:
        return False
