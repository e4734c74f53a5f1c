"""Folders that commands write, and the names in them that they do not."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from qcode.sandbox.names import EXISTING, HOME_NAMES, NAMES


class Guarded(msgspec.Struct, frozen=True):
    """One of them."""

    folder: Path
    names: tuple[str, ...]
    """Neither written nor made; relative to the folder, as the others."""
    existing: tuple[str, ...]
    """Not written where they are; who wants may make them."""

    def all(self) -> tuple[str, ...]:
        """Both kinds."""
        return (*self.names, *self.existing)


def workspace(folder: Path, home: Path, more: tuple[str, ...] = ()) -> Guarded:
    """A folder that commands may write because a person said so; `more`: names besides."""
    return Guarded(folder, (*NAMES, *_of_home(folder, home), *more), EXISTING)


def _of_home(folder: Path, home: Path) -> Iterator[str]:
    """What shells and desktops load, where the home folder is or lies in `folder`."""
    if home.is_relative_to(folder):
        below = home.relative_to(folder)
        yield from ((below / name).as_posix() for name in HOME_NAMES)
        if home != folder:
            yield from ((below / name).as_posix() for name in NAMES)
