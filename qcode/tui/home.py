"""What the app is given by whoever starts it: the way to sessions, and nothing of their inside."""

import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from qcode.protocol.errors import QcodeError
from qcode.protocol.events import AnyEvent
from qcode.protocol.inputs import Input

if TYPE_CHECKING:  # start-up time
    from qcode.doctor.report import Report as Examined
    from qcode.permission.rules import Rule


class Engine(Protocol):
    """The part of `engine.Engine` that the app needs; a scripted one has it too."""

    def submit(self, given: Input) -> None:
        """Take an input; never blocks."""
        ...

    def events(self) -> AsyncIterator[AnyEvent]:
        """Everything that happens, until `close`."""
        ...

    async def close(self) -> None:
        """End all that runs; the session stays resumable."""
        ...


class Wanted(msgspec.Struct, frozen=True):
    """Which session to open."""

    resume: str = ""
    """Its id; empty = a new one."""
    fork: bool = False
    """Of a copy of `resume`, not of itself."""
    before_turn: int = 0
    """With `fork`: the copy ends before this turn; 0 = all of it."""
    base_url: str = ""
    """Of another server than the one that the settings name; empty = as they say."""
    demo: Path | None = None
    """Folder of the demo's project: work there with what answers at `base_url`, without settings
    of the person's and without a log."""


@dataclass(frozen=True, slots=True)  # a Struct would show the key
class Held:
    """What holds as a session begins, for the lists that show it."""

    fence: Literal["holds", "none", "off"] = "none"
    """As in `permission.modes.Fence`."""
    rules: tuple["Rule", ...] = ()
    profiles: tuple[tuple[str, str], ...] = ()
    """Name, and what it says in short."""
    settings: tuple[tuple[str, str, str], ...] = ()
    """Key, value, where it comes from."""
    base_url: str = ""
    """As the settings say it; empty = a server was looked for."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Profile -> the same of it."""
    key_for: Callable[[str], str] = field(default=lambda _: "", repr=False)
    """The key that the engine sends to an address; empty = none. Asks the keyring, so it is called
    in a thread. Raises QcodeError."""


class Opened(msgspec.Struct, frozen=True):
    """A session that is ready for inputs."""

    engine: Engine
    past: tuple[AnyEvent, ...] = ()
    """What its log holds already, to be replayed on the screen."""
    session_id: str = ""
    """Empty = none is kept."""
    notices: tuple[str, ...] = ()
    """What the person should know of the opening."""
    held: Held = Held()


class Configured(msgspec.Struct, frozen=True):
    """What the workspace would configure, which nobody has trusted as it stands."""

    sets: tuple[str, ...]
    """What would count: `agent.thinking = "low"`."""
    left_out: tuple[str, ...]
    """Sentences about what would not count even then."""
    patch: tuple[str, ...]
    """All that was not trusted yet, as lines of a diff."""
    since: str
    """When something else was trusted here, as ISO 8601; empty = never."""
    settle: Callable[[Literal["trust", "without"]], str]
    """The person's word: keeps it, and lets the sessions to come be opened by it. Writes a file,
    so it is called in a thread. A sentence, where it could not be kept."""


class Report(msgspec.Struct, frozen=True):
    """For the person to read, and to send themselves."""

    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Examination:
    """What `Home.examine` is to look at, and who hears of it meanwhile."""

    base_url: str
    """Empty = the first server that answers."""
    model: str
    said: Callable[[str], None]
    """Hears what a person should know, a sentence each."""
    checks: Callable[[str], None]
    """Hears what is checked next, in some words."""
    api_key: str = field(default="", repr=False)
    anyway: bool = field(default=False, kw_only=True)
    """Also while the server is at work."""


class Home(msgspec.Struct, frozen=True):
    """Where the app lives."""

    folder: Path
    """The workspace."""
    open: Callable[[Wanted], Opened]
    """Reads and writes files, so it is called in a thread. Raises QcodeError."""
    state: Path
    """Folder for what the app keeps: prompt history, drafts, chosen theme."""
    sessions: Path | None = None
    """Folder of all sessions, see `session.store.Store`; None = there is none."""
    peek: Callable[[str], tuple[AnyEvent, ...]] | None = None
    """What the log of a session holds, without opening it, so that it is seen at once; also called
    in a thread. Raises QcodeError."""
    report: Callable[[str], "Report"] | None = None
    """Writes what somebody who mends qcode wants to know, of a session by its id; empty = the
    newest here. Called in a thread. Raises QcodeError."""
    examine: Callable[[Examination], Coroutine[Any, Any, "Examined"]] | None = None
    """What is wrong with the server, measured; what is learned is kept for the sessions to come.
    Cancelled, it gives what is known by then. Reads files and computes, so it has the loop of a
    thread of its own. Raises QcodeError."""
    serve: Callable[[str, Callable[[str], None], Callable[[str], None]], str] | None = None
    """Serve a model's file (or `hf:REPO:QUANT`) to the sessions to come, until the app ends: gives
    the model's name once it answers. The first callback hears sentences that a person should know,
    the second the name while it loads; what that one raises ends it. Called in a thread. Raises
    QcodeError. None = nothing is served here."""
    ahead: Callable[[Callable[[str], None], Callable[[str], None]], None] | None = None
    """What the first session stands on, if flags or settings say so: a model that qcode serves
    itself, joined or started, and held until the app ends. The callbacks are those of `serve`.
    Called in a thread, again where it failed. Raises QcodeError. None = there is nothing."""
    themes: tuple[Path, ...] = ()
    """Folders with themes, the user's last."""
    configured: Configured | None = None
    """Asked about before the first session; None = there is nothing to ask."""
    again: Callable[[], str] = lambda: ""
    """What `qcode --resume ID` needs behind it for the same server; begins with a blank."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, of what is shown; for a picture it can stand still."""


class NotServedError(QcodeError):
    """What the session stands on is not served."""

    def __init__(self, text: str, kind: str) -> None:
        """`kind`: the name of the error behind it."""
        super().__init__(text)
        self.kind = kind


class UnforeseenError(QcodeError):
    """A session could not be opened, and nobody knows why."""

    @classmethod
    def of(cls, error: Exception) -> "UnforeseenError":
        """What is said of it."""
        return cls(
            f"The session could not be opened ({type(error).__name__}: {error}). This is a "
            "defect of qcode; `qcode paths` names the log that has more of it."
        )
