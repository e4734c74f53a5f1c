"""What a tool is: a frozen Struct of its arguments that says what it would touch, and runs.

A tool never raises for what the model did wrong: it returns an `Outcome` with `status="error"`
and a text that says what to do instead. Tools know neither engine nor permission.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import msgspec

from qcode.protocol.access import Access
from qcode.protocol.display import Block, TodoItem
from qcode.protocol.messages import CallStatus
from qcode.sandbox.base import Jobs, Runner
from qcode.tools.change import Change
from qcode.workspace.files import Workspace

Told = Callable[[str, int, Literal["allow", "deny"], str], None]
"""(host, port, answer, because): a connection is about to be made, or is refused."""

Asker = Callable[[str, tuple[str, ...]], Awaitable[str]]
"""(question, choices) -> the person's answer."""


class Outcome(msgspec.Struct, frozen=True):
    """Two halves: text for the model, blocks for the person."""

    text: str
    blocks: tuple[Block, ...] = ()
    status: CallStatus = "ok"
    edited: tuple[str, ...] = ()
    """Paths that were changed, from the root."""


def failed(text: str, *blocks: Block) -> Outcome:
    """An outcome that tells the model what went wrong and what to do instead."""
    return Outcome(text, blocks, "error")


class Context(msgspec.Struct):
    """What tools work on. One per session; the state in it is what the model has seen and made."""

    workspace: Workspace
    runner: Runner
    jobs: Jobs
    """Background commands, by id."""
    spill: Path
    """Folder (0700) for outputs that are too long for the model."""
    ask: Asker | None = None
    """None = nobody can answer."""
    seen: dict[Path, str] = msgspec.field(default_factory=dict)
    """Digest of each file as the model last read or wrote it: a changed file is not overwritten."""
    todo: list[TodoItem] = msgspec.field(default_factory=list)
    progress: Callable[[str], None] = lambda text: None
    """Where a running call's output goes as it comes; set per call."""
    where: Literal["inside", "outside"] = "inside"
    """See `sandbox.base.Command.where`; set per call, never from its arguments."""
    connected: Told = lambda host, port, answer, because: None
    """Where a tool says that it connects to a host, or was kept from it."""
    endpoints: Callable[[], Collection[tuple[str, int]]] = tuple
    """Host and port of the model's servers: no tool may reach them."""
    write_lock: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)


class Tool(Protocol):
    """One kind of call. Implementations are frozen `msgspec.Struct`s, one file each."""

    name: ClassVar[str]
    effect: ClassVar[Literal["read", "write"]]
    """`read` = may run beside other reads of the same step."""

    def summary(self) -> str:
        """One line for people, without the tool's name: `src/a.py`, `pytest -q`."""
        ...

    def accesses(self) -> tuple[Access, ...]:
        """What it would touch, paths as written; the engine resolves them before judging."""
        ...

    async def run(self, context: Context) -> Outcome:
        """Do it. Cancellation ends whatever it started."""
        ...


@runtime_checkable
class Proposes(Protocol):
    """A tool that changes one file, and can tell beforehand how."""

    async def proposal(self, context: Context) -> Change | Outcome:
        """The change that `run` would make, not written; or how the call ends without one: it
        failed, or would change nothing."""
        ...


@runtime_checkable
class Whole(Protocol):
    """A type of tool that has a schema of its own, and takes its arguments as they are."""

    parameters: ClassVar[str]
    """JSON Schema, as text."""

    @classmethod
    def taken(cls, fields: Mapping[str, Any]) -> Tool:
        """A call with these arguments."""
        ...
