"""Who waits for an engine: connections whose request it has taken and not ended.

What computes on a graphics card computes nowhere else for minutes, and while all threads that
answer are held so, the engine looks as one that hangs. One that really hangs takes nothing: what
is sent to it stays unread, and such connections do not count here. Nor does any where the whole
process stands still: the thread that lets callers in is never held by one of them.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec


class Row(msgspec.Struct, frozen=True):
    """An established connection, seen from one of its ends."""

    here: int
    """Its port at this end."""
    there: int
    unread: int
    """Bytes that have come and were not taken."""
    is_let_in: bool = True
    """Whether somebody holds this end; not everywhere it is told."""


def callers(port: int, own: int) -> int | None:
    """So many are served at `port` beside the one from the port `own`, and none where that one was
    not let in; None = it is not told."""
    try:
        rows = list(of_linux() if sys.platform == "linux" else of_netstat(_netstat()))
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None
    there = [row for row in rows if row.here == port]
    if any(row.there == own and not row.is_let_in for row in there):
        return 0
    return sum(row.there != own and not row.unread for row in there)


def of_linux() -> Iterator[Row]:
    """`/proc/net/tcp`: 1 and 2 = ends, 3 = state, 4 = `sent:unread`, 9 = the socket, if it is
    held."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[3] == "01":
            here, there, unread = (int(words[at].rpartition(":")[2], 16) for at in (1, 2, 4))
            yield Row(here, there, unread, words[9] != "0")


def of_netstat(told: str) -> Iterator[Row]:
    """
    >>> [*of_netstat("tcp4  7  0  127.0.0.1.8080  127.0.0.1.52000  ESTABLISHED")]
    [Row(here=8080, there=52000, unread=7, is_let_in=True)]
    """
    for line in told.splitlines():
        words = line.split()
        if len(words) >= 6 and words[0].startswith("tcp") and words[5] == "ESTABLISHED":
            here, there = (int(end.rpartition(".")[2]) for end in words[3:5])
            yield Row(here, there, int(words[1]))


def _netstat() -> str:
    line = ("/usr/sbin/netstat", "-an", "-p", "tcp")
    tongue = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(line, capture_output=True, text=True, timeout=10, check=True, env=tongue)
    return done.stdout
