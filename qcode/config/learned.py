"""Rules that a person approved for a project, in the user's state: never in the repository.

One file for each real path; what stands in it only ever allows, and only the project for which it
was approved: whatever else is put at that path begins without rules.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from qcode.config import private
from qcode.protocol.errors import ConfigError


class Project(msgspec.Struct, frozen=True):
    """What the file of a project holds. What a later version adds to it is left aside."""

    folder: str
    """Its real path, for whoever reads the file."""
    allow: tuple[str, ...] = ()
    identity: str = ""
    """What told it from another project at the same path."""


class OtherProject(ConfigError):
    """There are rules for this path, of another project."""


def file_of(state: Path, folder: Path) -> Path:
    """Where the rules of the project at `folder` are, or would be."""
    return private.file_of(state / "projects", folder)


def learned(state: Path, folder: Path, identity: str) -> tuple[str, ...]:
    """The allow rules of the project, in the order in which they came.

    Raises ConfigError; of these, OtherProject where another one was at `folder` before.
    """
    found = _read(state, folder)
    if found.allow and found.identity != identity:
        raise OtherProject(
            f"The rules that you approved for {folder} were for another project than the one that "
            "is there now. None of them holds any more; you will be asked again."
        )
    return found.allow


def _read(state: Path, folder: Path) -> Project:
    """What the file holds; without one, a project without rules. Raises ConfigError."""
    file = file_of(state, folder)
    nothing = Project(private.real_name(folder))
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return nothing
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}).") from error
    try:
        found = msgspec.json.decode(data, type=Project)
    except (ValueError, RecursionError) as error:  # msgspec's own errors are some
        raise ConfigError(
            f"{file}: the rules that you approved for {folder} cannot be read ({error}). None of "
            "them holds. Delete the file; you will be asked again."
        ) from error
    return found if found.folder == nothing.folder else nothing


def learn(state: Path, folder: Path, rules: Sequence[str], identity: str) -> None:
    """Add `rules`; those that are there already stay once, and those of another project go.
    Raises ConfigError."""
    with _alone(state, folder):
        found = _read(state, folder)
        known = found.allow if found.identity == identity else ()
        allow = tuple(dict.fromkeys([*known, *rules]))
        _write(file_of(state, folder), Project(found.folder, allow, identity))


def forget(state: Path, folder: Path, rule: str) -> bool:
    """Remove one; False = it is not there. Raises ConfigError."""
    with _alone(state, folder):
        found = _read(state, folder)
        if rule not in found.allow:
            return False
        left = tuple(one for one in found.allow if one != rule)
        _write(file_of(state, folder), Project(found.folder, left, found.identity))
    return True


@contextmanager
def _alone(state: Path, folder: Path) -> Iterator[None]:
    """See `private.alone`. Raises ConfigError."""
    file = file_of(state, folder)
    try:
        with private.alone(file):
            yield
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written ({error.strerror}), so no rule was kept."
        ) from error


def _write(file: Path, project: Project) -> None:
    private.write(file, msgspec.json.format(msgspec.json.encode(project), indent=1) + b"\n")
