"""What a person trusted, folder by folder, in the user's state: never in the repository.

One file for each real path. The text of what was trusted is kept beside its hash, so that the next
question can show what has changed.
"""

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from qcode.config import private
from qcode.config.material import Piece
from qcode.protocol.errors import ConfigError

LONGEST_TEXT = 200_000
"""Bytes of a file whose text is kept for a diff."""


class Kept(msgspec.Struct, frozen=True):
    """A file as it was trusted."""

    sha256: str
    text: str | None = None
    """None = no text, or too long: that it changed is known, not how."""


class Entry(msgspec.Struct, frozen=True):
    """What was said about a folder. What a later version adds to it is left aside."""

    folder: str
    """Its real path."""
    files: dict[str, Kept] | None = None
    """As they were trusted; None = nothing ever was."""
    since: str = ""
    """When, as ISO 8601 in UTC."""
    declined: str = ""
    """Digest of the content that the person went on without; empty = none."""


def file_of(state: Path, folder: Path) -> Path:
    """Where it stands what was said about `folder`."""
    return private.file_of(state / "trust", folder)


def entry(state: Path, folder: Path) -> Entry:
    """What was said about `folder`; nothing, where nothing was. Raises ConfigError."""
    nothing = Entry(private.real_name(folder))
    found = _read(file_of(state, folder))
    return found if found and found.folder == nothing.folder else nothing


def entries(state: Path) -> tuple[Entry, ...]:
    """About all folders, by path; what cannot be read is left out, since it counts for nothing."""
    found = []
    for file in (state / "trust").glob("*.json"):
        with contextlib.suppress(ConfigError):
            if one := _read(file):
                found.append(one)
    return tuple(sorted(found, key=lambda one: one.folder))


def keep(state: Path, folder: Path, pieces: Mapping[str, Piece]) -> None:
    """`pieces` are trusted from now on, and nothing else that is at `folder`.
    Raises ConfigError."""
    files = {path: Kept(piece.sha256, _text(piece)) for path, piece in pieces.items()}
    since = datetime.now(UTC).isoformat(timespec="seconds")
    with _alone(state, folder) as file:
        _write(file, Entry(private.real_name(folder), files, since))


def decline(state: Path, folder: Path, digest: str) -> None:
    """The person goes on without what has this digest. Raises ConfigError."""
    with _alone(state, folder) as file:
        found = None
        with contextlib.suppress(ConfigError):  # what is broken counts for nothing anyway
            found = _read(file)
        found = found or Entry(private.real_name(folder))
        _write(file, msgspec.structs.replace(found, declined=digest))


def forget(state: Path, folder: Path) -> bool:
    """As if nothing had been said; False = nothing was. Raises ConfigError."""
    file = file_of(state, folder)
    try:
        file.unlink()
        file.with_suffix(".lock").unlink(missing_ok=True)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ConfigError(f"{file} cannot be removed ({error.strerror}).") from error
    return True


def _text(piece: Piece) -> str | None:
    return piece.text if len(piece.data) <= LONGEST_TEXT else None


def _read(file: Path) -> Entry | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Entry)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:  # msgspec's own errors are some
        raise ConfigError(
            f"{file}: what you trusted cannot be read ({error}), so nothing of it counts. Delete "
            "the file; you will be asked again."
        ) from error


@contextmanager
def _alone(state: Path, folder: Path) -> Iterator[Path]:
    file = file_of(state, folder)
    try:
        with private.alone(file):
            yield file
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written ({error.strerror}), so your word about {folder} holds for "
            "this run only."
        ) from error


def _write(file: Path, entry: Entry) -> None:
    private.write(file, msgspec.json.format(msgspec.json.encode(entry), indent=1) + b"\n")
