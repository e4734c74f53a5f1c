"""The contract of running a command: what is asked for, what comes back, and background jobs."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Literal, Protocol

import msgspec

Gate = Callable[[str, int], Awaitable[str]]
"""(host, port) -> empty when a command inside the fence may connect to it, else why not, a clause.

The host has passed the grammar: lower case, without a final dot, an IP address in its plain form.
May take as long as a person takes; is asked for every connection."""


class NotStarted(Exception):
    """A command could not be started. `str(error)` is the sentence for person and model."""


class NotOpened(Exception):
    """A port could not be opened to the person. `str(error)` is the sentence."""


class Command(msgspec.Struct, frozen=True):
    """A shell command to run."""

    line: str
    """Given to `/bin/sh -c` (bash where present)."""
    folder: Path
    timeout_seconds: float
    """Does not count for background commands."""
    environment: Mapping[str, str] | None = None
    """Variables to set on top of the allow-listed ones; None = no more."""
    where: Literal["inside", "outside"] = "inside"
    """`outside` = not in the fence though there is one: a person's word or the user's settings,
    never a model's. Without a fence it says nothing."""


class Output(msgspec.Struct, frozen=True):
    """What a finished command left."""

    exit_code: int | None
    """None = it was ended: by the time limit, a signal, or cancellation."""
    why: str
    """Empty when it ended by itself, else such as `ended after 120 s (time limit)`."""
    head: str
    tail: str
    """`head` and `tail` together are all of it when `left_out` is 0."""
    left_out: int
    """Bytes between head and tail."""
    spill: Path | None
    """File with the whole output; None = nothing was left out, or no file could be written."""
    seconds: float
    job: str = ""
    """Id of the job that processes which it left running have become; empty = none."""
    notes: tuple[str, ...] = ()
    """What the fence did about it, a sentence each, for model and person: hosts that were refused,
    protected files that were put back, an end for too much memory."""


class Runner(Protocol):
    """Runs commands, with or without a fence."""

    name: str
    fenced: bool
    """True = the operating system limits what a command can touch."""
    gate: Gate | None
    """Who decides about the network of commands inside; None = it is closed."""

    async def run(self, command: Command, on_output: Callable[[str], None]) -> Output:
        """Run to the end. Cancelling ends the whole process group, then raises CancelledError.

        Raises NotStarted.
        """
        ...

    async def start(self, command: Command) -> str:
        """Start in the background; returns the job's id. See `Jobs`. Raises NotStarted."""
        ...

    async def open_port(self, port: int) -> int:
        """Let the person reach what commands listen on inside; the port outside that leads there.

        Raises NotOpened.
        """
        ...

    async def close_port(self, port: int) -> None:
        """Take it back; nothing happens where it was not opened."""
        ...

    def ports(self) -> tuple[int, ...]:
        """Those that were opened."""
        ...

    def running(self) -> tuple[str, ...]:
        """Lines of the commands that run now where `gate` decides, jobs among them."""
        ...


class Job(msgspec.Struct, frozen=True):
    """A background command as it stands."""

    id: str
    line: str
    state: str
    """`running`, `exit 0`, `ended by signal 15`."""
    seconds: float
    log: Path
    """All of its output so far."""


class Reading(msgspec.Struct, frozen=True):
    """What a job printed since it was last read."""

    job: Job
    text: str
    left_out: int
    """Bytes before `text` that were printed since then, too: only the log has them."""
    notes: tuple[str, ...] = ()
    """As `Output.notes`, since then."""


class Jobs(Protocol):
    """The background commands of this session."""

    def list(self) -> tuple[Job, ...]:
        """All of them, oldest first."""
        ...

    async def read(self, job_id: str, wait_seconds: float) -> Reading:
        """What is new, after at most `wait_seconds`. Raises KeyError for an unknown id."""
        ...

    async def stop(self, job_id: str) -> Job:
        """End the process group (TERM, then KILL). Raises KeyError for an unknown id."""
        ...

    async def close(self) -> None:
        """End all of them."""
        ...
