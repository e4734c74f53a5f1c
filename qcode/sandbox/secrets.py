"""What neither a command nor a tool looks into: the names of `names` and `keys` as paths. One list,
for each fence and for the tools that read files."""

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from qcode.sandbox import keys
from qcode.sandbox.ground import Ground, home_of
from qcode.sandbox.names import MAC_SECRETS, SECRETS, SYSTEM_SECRETS


def listed(ground: Ground, system: str = sys.platform) -> tuple[str, ...]:
    """As they are called, existing or not, links not resolved."""
    return _listed(ground.home, (*ground.keys, *ground.own), system)


def kept(
    folders: Iterable[Path], own: Iterable[Path], environment: Mapping[str, str]
) -> tuple[str, ...]:
    """The same for tools, with no fence: as they are called once the folders above are resolved,
    and what they lead to. `folders`: those that are worked in, into which no name from outside of
    them leads, since they may be a repository of settings; `own`: qcode's."""
    home = home_of(environment)
    worked = tuple(folder.resolve() for folder in folders)
    moved = keys.moved(environment, worked, home)
    above: dict[str, str] = {}
    found: dict[str, None] = {}
    for path in _listed(home, (*moved, *own), sys.platform):
        folder, _, name = path.rpartition("/")
        if folder not in above:  # a hundred names lie in some twenty folders
            above[folder] = os.path.realpath(folder or "/").rstrip("/")
        at = f"{above[folder]}/{name}"
        found[at] = None
        if os.path.islink(at) and not _is_from_outside(Path(at), worked):  # noqa: PTH114 - as above
            found[os.path.realpath(at)] = None
    return tuple(found)


def _is_from_outside(link: Path, folders: Iterable[Path]) -> bool:
    """Does it lead into one of `folders` in which it does not lie itself?"""
    target = Path(os.path.realpath(link))
    return any(target.is_relative_to(it) and not link.is_relative_to(it) for it in folders)


def _listed(home: Path, others: Iterable[Path], system: str) -> tuple[str, ...]:
    names = (*SECRETS, *MAC_SECRETS) if system == "darwin" else SECRETS
    base = str(home).rstrip("/")
    return (*(f"{base}/{name}" for name in names), *SYSTEM_SECRETS, *map(str, others))
