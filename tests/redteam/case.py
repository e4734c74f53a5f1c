"""A case: an attempt that must not succeed, its benign twin that must, and the guard between."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Attempt(Protocol):
    """Something tried on the real thing."""

    def succeeds(self, tmp: Path) -> bool:
        """Whether it got through. `tmp`: an empty folder of its own. Skips where it cannot tell."""
        ...


@dataclass(frozen=True, slots=True)
class Case:
    """One case."""

    id: str
    """A key of `ids.IDS`."""
    what: str
    """What is attempted, in a few words: unlike those of the other cases of the id."""
    guard: str
    """A key of `guards.GUARDS`: what stands in its way."""
    attack: Attempt
    twin: Attempt
    """The same kind of thing in good faith."""

    def __str__(self) -> str:
        return f"{self.id}: {self.what}"


class CannotTell(Exception):
    """This machine has not what the attempt needs; `str()` says what."""


def numbered(cases: tuple[Case, ...], most: int) -> Iterator[Case]:
    """The first `most` of each id."""
    seen: dict[str, int] = {}
    for case in cases:
        seen[case.id] = seen.get(case.id, 0) + 1
        if seen[case.id] <= most:
            yield case
