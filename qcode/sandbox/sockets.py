"""Unix sockets that processes outside of a fence listen at."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

VARIABLES = ("SSH_AUTH_SOCK", "DOCKER_HOST", "CONTAINER_HOST", "DBUS_SESSION_BUS_ADDRESS", "TMUX")
_TABLE = Path("/proc/net/unix")


def bound() -> tuple[str, ...]:
    """Paths of all that the kernel names. Abstract ones go with the network; relative ones are not
    found."""
    try:
        rows = _TABLE.read_bytes().splitlines()[1:]
    except OSError:
        return ()
    cells = (row.split(None, 7) for row in rows)
    paths = {os.fsdecode(row[7]) for row in cells if len(row) == 8 and row[7].startswith(b"/")}
    return tuple(sorted(path for path in paths if os.path.lexists(path)))


def named(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Those that variables lead programs to."""
    return tuple(path for name in VARIABLES for path in _paths(environment.get(name, "")))


def _paths(value: str) -> Iterator[Path]:
    """`/a/b`, `unix:///a/b`, `unix:path=/a/b,guid=…`, `/a/b,123,0`."""
    start = value.find("/")
    if start < 0 or (start > 0 and not value.startswith("unix:")):
        return
    path = value[start:].split(",")[0]
    yield Path("/" + path.lstrip("/"))
