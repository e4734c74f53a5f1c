"""Where a bench works: a home for qcode and folders beside it, all gone at the end."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.qcode import Qcode

REPEATS = 7


@dataclass(frozen=True, slots=True)
class Ground:
    """What every measurement is handed."""

    qcode: Qcode
    place: Path
    """For the folders that a measurement makes."""

    def folder(self, name: str) -> Path:
        """A folder of that name, made if it is not there."""
        made = self.place / name
        made.mkdir(exist_ok=True)
        return made


@contextmanager
def ground() -> Iterator[Ground]:
    """Made and removed."""
    with tempfile.TemporaryDirectory(prefix="qcode-bench-") as name:
        place = Path(name).resolve()
        home = place / "home"
        home.mkdir()
        yield Ground(Qcode(home), place)
