"""The contract of a fence: words in, words that run them inside out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from qcode.sandbox.founding import Network


class Inside(msgspec.Struct, frozen=True):
    """What to run, and where."""

    words: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


class Wrapped(msgspec.Struct, frozen=True):
    """What to start so that it runs inside."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    descriptors: tuple[int, ...]
    """To be inherited; whoever starts it closes them then."""
    held: tuple[int, ...] = ()
    """To be closed when all of it has ended, before `Fence.left`."""
    protected: tuple[str, ...] = ()
    """See `Plan.protected`; where a mount keeps them, which goes with the file it is on."""


class Ahead(msgspec.Struct, frozen=True):
    """What can be started before there is a command, and waits for it."""

    words: tuple[str, ...]
    descriptors: tuple[int, ...]
    """As those of `Wrapped`."""
    told: int
    """A descriptor to write the command to (`Fence.message`), and to close then. Closed before, it
    ends."""


class Message(msgspec.Struct, frozen=True):
    """A command for what was started ahead."""

    data: bytes
    held: tuple[int, ...]
    """As those of `Wrapped`."""
    protected: tuple[str, ...] = ()
    """The same."""


class Fence(Protocol):
    """One way to limit what a command can touch."""

    name: str

    def around(self, inside: Inside) -> Wrapped:
        """Raises OSError or ValueError."""
        ...

    def ahead(self) -> Ahead | None:
        """None = this fence is raised quickly enough. Raises OSError."""
        ...

    def message(self, inside: Inside) -> Message:
        """For what `ahead` gave. Raises OSError or ValueError."""
        ...

    def network(self) -> Network | None:
        """The one that all commands share; found when it is first needed, which blocks for 20 ms.

        None = each command has a closed one of its own: no gate is asked, no port can be opened.
        Raises OSError.
        """
        ...

    def left(self) -> None:
        """A command and all it had started have ended. Never raises."""
        ...

    def close(self) -> None:
        """No command follows. Never raises."""
        ...
