"""Read and write inside the root: encodings, line ends, atomic replacement."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder that the agent works in, and the ones added to it."""

    root: Path
    extra: tuple[Path, ...] = ()
