"""Rules that a person approved for a project, in the user's state: never in the repository.

One file a project, named for its real path. What stands in it only ever allows.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from qcode.config.paths import make
from qcode.protocol.errors import ConfigError


class Project(msgspec.Struct, frozen=True):
    """What the file of a project holds. What a later version adds to it is left aside."""

    folder: str
    """Its real path, for whoever reads the file."""
    allow: tuple[str, ...] = ()


def file_of(state: Path, folder: Path) -> Path:
    """Where the rules of the project at `folder` are, or would be."""
    real = os.path.realpath(folder)
    digest = hashlib.blake2b(os.fsencode(real), digest_size=10).hexdigest()
    return state / "projects" / f"{digest}.json"


def learned(state: Path, folder: Path) -> tuple[str, ...]:
    """The allow rules of the project, in the order in which they came. Raises ConfigError."""
    file = file_of(state, folder)
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}).") from error
    try:
        found = msgspec.json.decode(data, type=Project)
    except ValueError as error:  # msgspec's own errors are some
        raise ConfigError(
            f"{file}: the rules that you approved for {folder} cannot be read ({error}). None of "
            "them holds. Delete the file; you will be asked again."
        ) from error
    return found.allow if found.folder == _real(folder) else ()


def learn(state: Path, folder: Path, rules: Sequence[str]) -> None:
    """Add `rules`; those that are there already stay once. Raises ConfigError."""
    with _alone(state, folder):
        allow = tuple(dict.fromkeys([*learned(state, folder), *rules]))
        _write(file_of(state, folder), Project(_real(folder), allow))


def forget(state: Path, folder: Path, rule: str) -> bool:
    """Remove one; False = it is not there. Raises ConfigError."""
    with _alone(state, folder):
        allow = learned(state, folder)
        if rule not in allow:
            return False
        left = tuple(one for one in allow if one != rule)
        _write(file_of(state, folder), Project(_real(folder), left))
    return True


def _real(folder: Path) -> str:
    """As text that JSON can hold, whatever bytes the name has."""
    return os.fsencode(os.path.realpath(folder)).decode("utf-8", "backslashreplace")


@contextmanager
def _alone(state: Path, folder: Path) -> Iterator[None]:
    """Two runs in one project must not lose each other's rules. Raises ConfigError."""
    file = file_of(state, folder)
    try:
        make(file.parent)
        descriptor = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unwritable(file, error) from error
    try:
        with suppress(ImportError, OSError):  # Windows, some network file systems: go on unlocked
            import fcntl  # noqa: PLC0415 - there is none on Windows

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(file: Path, project: Project) -> None:
    """All of it or nothing; 0600. Raises ConfigError."""
    part = file.with_name(f".{file.stem}-{secrets.token_hex(4)}.tmp")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(msgspec.json.format(msgspec.json.encode(project), indent=1) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    except OSError as error:
        with suppress(OSError):  # it may not have been made
            part.unlink()
        raise _unwritable(file, error) from error


def _unwritable(file: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{file} cannot be written ({error.strerror}), so no rule was kept.")
