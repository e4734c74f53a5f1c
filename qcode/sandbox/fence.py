"""The contract of a fence: words in, words that run them inside out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Inside:
    """What to run, and where."""

    words: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What to start so that it runs inside."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    descriptors: tuple[int, ...]
    """To be inherited; whoever starts it closes them then."""


class Fence(Protocol):
    """One way to limit what a command can touch."""

    name: str

    def around(self, inside: Inside) -> Wrapped:
        """Raises OSError or ValueError."""
        ...

    def left(self) -> None:
        """A command and all it had started have ended. Never raises."""
        ...

    def close(self) -> None:
        """No command follows. Never raises."""
        ...
