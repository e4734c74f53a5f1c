"""What `qcode models pull` connected to, for `qcode audit --pulls`: it belongs to no session."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from qcode.serve.ways import Way

NAME = "pulls.jsonl"
_MOST_BYTES = 4 << 20
"""The end of the file: a line has some 150."""


class Noted(msgspec.Struct, frozen=True):
    """One host that was connected to, or refused."""

    at: str
    """UTC, ISO 8601."""
    model: str
    host: str
    port: int
    because: str = ""
    """As `Way` has it."""


def note(state: Path, model: str, way: "Way") -> None:
    """Add a line, before the connection. Raises OSError."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    line = msgspec.json.encode(Noted(at, model, way.host, way.port, way.because))
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(state / NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(line + b"\n")


def noted(state: Path) -> tuple[Noted, ...]:
    """All of them, the oldest first; a line that is damaged is left out."""
    found = []
    for line in _end(state / NAME):
        try:
            found.append(msgspec.json.decode(line, type=Noted))
        except msgspec.MsgspecError:
            continue
    return tuple(found)


def _end(path: Path) -> list[bytes]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_BYTES))
            return file.read().splitlines()
    except OSError:
        return []
