"""Who waits for an engine: connections whose request it has taken and not ended.

What computes on a graphics card computes nowhere else for minutes, and while all threads that
answer are held so, the engine looks as one that hangs. One that really hangs takes nothing: what
is sent to it stays unread, and such connections do not count here.
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


def callers(port: int, but: int) -> int | None:
    """So many are served at `port`, `but` for the one from that port; None = it is not told."""
    try:
        rows = list(of_linux() if sys.platform == "linux" else of_netstat(_netstat()))
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None
    return sum(row.here == port and row.there != but and not row.unread for row in rows)


def of_linux() -> Iterator[Row]:
    """`/proc/net/tcp`: number, ends in hexadecimal, state, and the queues `sent:unread`."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, here, there, state, queues = line.split()[:5]
        if state == "01":
            ports = (int(end.rpartition(":")[2], 16) for end in (here, there))
            yield Row(*ports, int(queues.rpartition(":")[2], 16))


def of_netstat(told: str) -> Iterator[Row]:
    """
    >>> [*of_netstat("tcp4  7  0  127.0.0.1.8080  127.0.0.1.52000  ESTABLISHED")]
    [Row(here=8080, there=52000, unread=7)]
    """
    for line in told.splitlines():
        words = line.split()
        if len(words) >= 6 and words[0].startswith("tcp") and words[5] == "ESTABLISHED":
            ports = (int(end.rpartition(".")[2]) for end in words[3:5])
            yield Row(*ports, int(words[1]))


def _netstat() -> str:
    line = ("/usr/sbin/netstat", "-an", "-p", "tcp")
    tongue = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(line, capture_output=True, text=True, timeout=10, check=True, env=tongue)
    return done.stdout
