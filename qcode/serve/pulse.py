"""Whether an engine that serves still lives: one that hangs holds its port and answers nothing.

llama.cpp answers `/health` beside its work: of 965 questions while b11549 read 100,000 tokens on
both cores of a machine the slowest took 0.11 s, with sixteen other programs there 0.26 s. But each
request holds one of a few threads that answer: with twelve at once it was silent for 55 s, and
worked. So silence alone proves nothing; one that neither answers, nor computes, nor fetches pages
from a disk meanwhile, hangs. A graphics card's work is not seen: where requests were taken and not
ended it is given longer.
"""

import os
import select
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from qcode.serve.callers import callers
from qcode.serve.child import HOST, QUESTION

REST_SECONDS = 5.0
"""Between two questions."""
PATIENCE_SECONDS = 15.0
"""Without an answer and without work for so long, it hangs."""
CALLED_SECONDS = 120.0
"""The same where requests were taken, or where that is not told."""
CONNECT_SECONDS = 1.0
LEAST_WORK_SECONDS = 0.1
"""Of computing within the patience: less is none."""
STEP_SECONDS = 2.0
"""A look counts for so much at most: where the keeper stood still, its engine may have, too."""

_CLOCK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Work(msgspec.Struct, frozen=True):
    """What a group of processes has done so far."""

    seconds: float
    """Of computing, in all threads."""
    fetches: int
    """Pages that came from a disk; 0 = not told."""


class Pulse:
    """Asks one engine again and again, never waiting for it."""

    def __init__(self, port: int, group: int, now: float) -> None:
        """`group`: of processes, those of the engine."""
        self._port, self._group = port, group
        self._looked = self._answered = now
        self._asked: socket.socket | None = None
        self._silent: float | None = None
        """Seconds without an answer and without work; None = it was only just asked."""
        self._since_look = 0.0
        """Of these, since work was looked for."""
        self._before: Work | None = None
        """What it had done then."""
        self.patience = PATIENCE_SECONDS
        """What was granted when it was last found silent, in seconds."""

    def hangs(self, now: float) -> bool:
        """Look at it; whether it has been dead for long enough."""
        passed = min(now - self._looked, STEP_SECONDS)
        self._looked = now
        if self._asked is None:
            if now - self._answered >= REST_SECONDS:
                self._asked = _asked(self._port)
            return False
        word = _word(self._asked)
        if word == "answered":
            self._answered = now
            self.close()
            return False
        if word == "closed":  # whoever is there may take the next one
            self._asked.close()
            self._asked = _asked(self._port)
        return self._is_dead(passed)

    def close(self) -> None:
        """Ask no more."""
        if self._asked is not None:
            self._asked.close()
        self._asked, self._silent = None, None

    def _is_dead(self, passed: float) -> bool:
        if self._silent is None:
            self._silent, self._since_look, self._before = 0.0, 0.0, work(self._group)
            return False
        self._silent += passed
        self._since_look += passed
        if self._since_look < PATIENCE_SECONDS:
            return False
        before, now = self._before, work(self._group)
        self._since_look, self._before = 0.0, now
        if before is None or now is None or _is_more(before, now):
            self._silent = 0.0
            return False
        self.patience = PATIENCE_SECONDS if self._callers() == 0 else CALLED_SECONDS
        return self._silent >= self.patience

    def _callers(self) -> int | None:
        own = self._asked.getsockname()[1] if self._asked else 0
        return callers(self._port, own)


def _asked(port: int) -> socket.socket | None:
    """A question on its way, or a socket that nobody took; None = it could not be asked, which
    says nothing about it.

    The connection is waited for: macOS does not make one at once, not even to itself.
    """
    asked = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    asked.settimeout(CONNECT_SECONDS)
    try:
        asked.connect((HOST, port))
        asked.sendall(QUESTION)
    except (ConnectionRefusedError, ConnectionResetError, BrokenPipeError):
        pass  # nobody listens, or nobody any more: it is silent, then
    except OSError:
        asked.close()
        return None
    asked.settimeout(0)
    return asked


def _word(asked: socket.socket) -> Literal["answered", "closed", "nothing"]:
    """What came back, whatever it says."""
    if not select.select((asked,), (), (), 0)[0]:
        return "nothing"
    with suppress(OSError):
        if asked.recv(64):
            return "answered"
    return "closed"


def _is_more(before: Work, now: Work) -> bool:
    is_computing = now.seconds - before.seconds >= LEAST_WORK_SECONDS
    return is_computing or now.fetches > before.fetches


def work(group: int) -> Work | None:
    """What the processes of a group have done; None = it is not told."""
    return _of_linux(group) if sys.platform == "linux" else work_of_others(group)


def _of_linux(group: int) -> Work | None:
    """`/proc/PID/stat`, counted behind the name: 2 = group, 9 = major faults, 11 and 12 = ticks."""
    found: list[Work] = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):  # it has just ended
            told = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(told[2]) == group:
                ticks = int(told[11]) + int(told[12])
                found.append(Work(ticks / _CLOCK, int(told[9])))
    return _sum(found)


def work_of_others(group: int) -> Work | None:
    """`ps`, whose times are `[[days-]hours:]minutes:seconds`."""
    line = ("ps", "-A", "-o", "pgid=,time=")
    tongue = {**os.environ, "LC_ALL": "C"}  # elsewhere a comma stands before the hundredths
    try:
        done = subprocess.run(
            line, capture_output=True, text=True, timeout=10, check=True, env=tongue
        )
        rows = (row.split() for row in done.stdout.splitlines())
        times = (row[1] for row in rows if len(row) == 2 and row[0] == str(group))
        return _sum([Work(_seconds(time), 0) for time in times])
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _seconds(time: str) -> float:
    """
    >>> _seconds("1-02:03:04.5")
    93784.5
    """
    days, _, clock = time.rpartition("-")
    total = 0.0
    for part in clock.split(":"):
        total = total * 60 + float(part)
    return float(days or 0) * 86_400 + total


def _sum(found: list[Work]) -> Work | None:
    if not found:
        return None
    return Work(sum(one.seconds for one in found), sum(one.fetches for one in found))
